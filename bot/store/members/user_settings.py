"""Members' own settings."""

import msgspec

from bot.store.rows.preferences import Preferences
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import to_json


class UserSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A member's defaults, whether the member is notified when a long job is done, and whether the showcase of a
    server may have the member's pictures; None until they say so.
    """

    defaults: Preferences = Preferences()
    notifies_when_done: bool = True
    is_shown: bool | None = None


class UserSettingsRepository:
    """One row for each member. It applies in every server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, user_id: int) -> UserSettings:
        """A member's settings; the usual ones if there is no row."""
        row = await self._database.fetch_one("SELECT * FROM user_settings WHERE user_id = ?", (user_id,))
        if row is None:
            return UserSettings()
        defaults = msgspec.json.decode(row["defaults"], type=Preferences)
        is_shown = None if row["is_shown"] is None else bool(row["is_shown"])
        return UserSettings(defaults=defaults, notifies_when_done=bool(row["is_told"]), is_shown=is_shown)

    async def set(self, user_id: int, settings: UserSettings) -> None:
        """Store a member's settings."""
        values = (user_id, to_json(settings.defaults), settings.notifies_when_done, settings.is_shown)
        await self._database.change(
            "INSERT INTO user_settings (user_id, defaults, is_told, is_shown) VALUES (?, ?, ?, ?) ON CONFLICT DO"
            " UPDATE SET defaults = excluded.defaults, is_told = excluded.is_told, is_shown = excluded.is_shown",
            values,
        )
