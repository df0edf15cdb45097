"""`/settings`, and the wording of defaults everywhere."""

import msgspec

from bot.presenting.escaping import escape
from bot.presenting.texts import text
from bot.store.members.user_settings import UserSettings
from bot.store.rows.preferences import Preferences

_MAX_VALUE = 100


def settings_lines(settings: UserSettings, *, is_changed: bool) -> str:
    """A member's own defaults, and the order in which defaults apply."""
    chosen = defaults_line(settings.defaults)
    return "\n".join(
        [
            text("settings-changed" if is_changed else "settings-head"),
            text("settings-defaults", defaults=chosen) if chosen else text("settings-no-defaults"),
            text("settings-ping-on" if settings.notifies_when_done else "settings-ping-off"),
            *([] if settings.is_shown is None else [_showcase(is_shown=settings.is_shown)]),
            text("settings-order"),
        ]
    )


def _showcase(*, is_shown: bool) -> str:
    return text("settings-showcase-on" if is_shown else "settings-showcase-off")


def defaults_line(defaults: Preferences) -> str:
    """The set values in words; empty if none is set."""
    return ", ".join(
        f"{text(f'preference-{name}')} {escape(str(value), _MAX_VALUE)}"
        for name, value in msgspec.structs.asdict(defaults).items()
        if value is not None
    )
