"""`/privacy`: what is kept about a member, and the questions before it is deleted. All answers are private."""

from collections.abc import Sequence

import discord
import msgspec
from discord import ui

from bot.presenting.custom_ids import PrivacyAct, privacy_id
from bot.presenting.escaping import escape
from bot.presenting.texts import text
from bot.store.privacy.own_data import OwnCounts
from bot.store.rows.wishes import Scope

_MAX_CONTACT = 200


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are kept, in days, where 0 is for ever; and whom to ask."""

    images_days: int
    prompts_days: int
    audit_days: int
    hits_days: int
    contact: str
    policy_url: str


def shown(counts: OwnCounts, retention: Retention) -> str:
    """What is kept, how long, and by whom."""
    lines = [
        f"**{text('privacy-head')}**",
        text("privacy-words", jobs=counts.jobs, days=retention.prompts_days),
        text("privacy-pictures", pictures=counts.pictures, given=counts.given, days=retention.images_days),
        text("privacy-settings", stars=counts.stars, settings=counts.settings),
        text("privacy-ledger", entries=counts.entries),
        text(
            "privacy-decisions",
            decisions=counts.decisions,
            reports=counts.reports,
            audit=retention.audit_days,
            hits=retention.hits_days,
        ),
        text("privacy-elsewhere"),
        text("privacy-ways"),
    ]
    if retention.contact:
        lines.append(text("privacy-contact", contact=escape(retention.contact, _MAX_CONTACT)))
    if retention.policy_url:
        lines.append(text("privacy-policy", url=retention.policy_url))
    return "\n".join(lines)


def choice() -> ui.LayoutView:
    """What to delete."""
    return _layout(
        text("privacy-delete-choice"),
        _button("privacy-button-words", PrivacyAct.WORDS),
        _button("privacy-button-everything", PrivacyAct.EVERYTHING),
        _button("privacy-button-keep", PrivacyAct.KEEP, is_dangerous=False),
    )


def question(scope: Scope) -> ui.LayoutView:
    """The second question: what goes, what stays, and that it is final."""
    sentence, act = {
        Scope.WORDS: (text("privacy-sure-words"), PrivacyAct.SURE_WORDS),
        Scope.EVERYTHING: (text("privacy-sure-everything"), PrivacyAct.SURE_EVERYTHING),
    }[scope]
    return _layout(
        sentence,
        _button("privacy-button-sure", act),
        _button("privacy-button-keep", PrivacyAct.KEEP, is_dangerous=False),
    )


def said(sentence: str) -> ui.LayoutView:
    """A sentence in the place of the questions."""
    return _layout(sentence)


def forgotten(jobs: int, cancelled: int) -> ui.LayoutView:
    """What was deleted."""
    return _layout(text("privacy-deleted", jobs=jobs, cancelled=cancelled))


def _button(key: str, act: PrivacyAct, *, is_dangerous: bool = True) -> ui.Button[ui.LayoutView]:
    style = discord.ButtonStyle.danger if is_dangerous else discord.ButtonStyle.secondary
    return ui.Button(label=text(key), style=style, custom_id=privacy_id(act))


def _layout(sentence: str, *buttons: ui.Button[ui.LayoutView]) -> ui.LayoutView:
    items: Sequence[ui.Item[ui.LayoutView]] = [ui.ActionRow(*buttons)] if buttons else []
    container: ui.Container[ui.LayoutView] = ui.Container(ui.TextDisplay(sentence), *items)
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()
    return view
