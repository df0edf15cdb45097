"""Buttons and forms that work for ever: matched by their id, looked up in the database, whoever posted them."""

import discord

from bot.views.buttons import JobButton
from bot.views.examples import ExampleButton


def add_buttons(client: discord.Client) -> None:
    """Let the client answer every button that Easel ever posted."""
    client.add_dynamic_items(JobButton, ExampleButton)
