"""Buttons and forms that work for ever. Each is found by its custom id and its row in the database."""

import discord

from bot.views.buttons import JobButton
from bot.views.cases import CaseButton
from bot.views.examples import ExampleButton
from bot.views.grids.sheet import CellMenu, SheetButton
from bot.views.history.buttons import OpenButton, TurnButton
from bot.views.privacy import PrivacyButton
from bot.views.refused import HitButton


def add_buttons(client: discord.Client) -> None:
    """Make the client answer every button that Easel ever posted."""
    client.add_dynamic_items(
        JobButton, ExampleButton, CaseButton, HitButton, PrivacyButton, TurnButton, OpenButton, SheetButton, CellMenu
    )
