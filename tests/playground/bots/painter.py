"""A small real discord.py bot that uses everything the bridge must carry.

It runs as its own process, like Easel does. The only two things it changes in
discord.py are the addresses.
"""

# ruff: noqa: T201, ARG003 - the tests read what it prints; discord.py states the arguments

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
from typing import Any

import aiohttp
import discord
import discord.gateway
import discord.http
import yarl
from discord import app_commands
from PIL import Image

discord.http.Route.BASE = os.environ["EASEL_DISCORD__API_BASE_URL"]
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["EASEL_DISCORD__GATEWAY_URL"])


COLORS = ("red", "orange", "gold", "purple")
SIDE = int(os.environ.get("PAINT_SIDE", "96"))
SIZE = (SIDE, SIDE * 2 // 3)


def png(color: str, size: tuple[int, int] = SIZE) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


class Painter(discord.Client):
    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), guild_ready_timeout=0.05)
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        for command in (hello, paint, slow, mute, keep, ask, secret, card, heavy, note, lookat):
            self.tree.add_command(command)
        self.add_dynamic_items(Recolor, Remix)
        await self.tree.sync()


class Recolor(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"recolor:(?P<color>\w+)"):
    def __init__(self, color: str) -> None:
        super().__init__(discord.ui.Button(label=f"Make it {color}", custom_id=f"recolor:{color}"))
        self.color = color

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Recolor:
        return cls(match["color"])

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        file = discord.File(io.BytesIO(png(self.color)), f"{self.color}.png")
        await interaction.edit_original_response(view=picture(f"Now {self.color}", file.filename), attachments=[file])


class Remix(discord.ui.DynamicItem[discord.ui.Button[Any]], template="remix"):
    def __init__(self) -> None:
        super().__init__(discord.ui.Button(label="Remix", custom_id="remix"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Remix:
        return cls()

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Question())


def picture(text: str, *filenames: str) -> discord.ui.LayoutView:
    view = discord.ui.LayoutView(timeout=None)
    gallery = discord.ui.MediaGallery[Any](
        *(discord.MediaGalleryItem(f"attachment://{name}", description=text) for name in filenames)
    )
    row = discord.ui.ActionRow[Any](Recolor("blue"), Recolor("green"), Remix())
    view.add_item(discord.ui.Container(discord.ui.TextDisplay(text), gallery, row))
    return view


def waiting(text: str) -> discord.ui.LayoutView:
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.Container(discord.ui.TextDisplay(text)))
    return view


class Question(discord.ui.Modal, title="Remix"):
    prompt = discord.ui.Label(text="Prompt", component=discord.ui.TextInput(custom_id="prompt", max_length=60))

    def __init__(self) -> None:
        super().__init__(custom_id="question")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.prompt.component, discord.ui.TextInput)
        await interaction.response.send_message(f"You wrote: {self.prompt.component.value}", ephemeral=True)


@app_commands.command(description="Answer at once, privately")
async def hello(interaction: discord.Interaction) -> None:
    await interaction.response.send_message(f"Hello {interaction.user.display_name}", ephemeral=True)


@app_commands.command(description="Defer, show progress, deliver a picture")
@app_commands.describe(prompt="What to paint", size="How large", seconds="How long it takes", count="How many")
async def paint(
    interaction: discord.Interaction,
    prompt: str,
    size: str = "square",
    seconds: float = 0.2,
    count: int = 1,
) -> None:
    await interaction.response.defer(thinking=True)
    for percent in (0, 50):
        await interaction.edit_original_response(view=waiting(f"{prompt}: {percent} %"))
        await asyncio.sleep(seconds / 2)
    files = [discord.File(io.BytesIO(png(color)), f"{color}.png", description=prompt) for color in COLORS[:count]]
    view = picture(f"{prompt} ({size})", *(file.filename for file in files))
    await interaction.edit_original_response(view=view, attachments=files)


@paint.autocomplete("size")
async def sizes(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    names = ["square", "portrait", "landscape"]
    return [app_commands.Choice(name=name, value=name) for name in names if current in name]


@app_commands.command(description="Acknowledge too late")
async def slow(interaction: discord.Interaction, seconds: float) -> None:
    await asyncio.sleep(seconds)
    try:
        await interaction.response.send_message("late")
    except discord.NotFound as error:
        print(f"refused with {error.code}", flush=True)


@app_commands.command(description="Never answer")
async def mute(interaction: discord.Interaction) -> None:
    print(f"muted {interaction.id}", flush=True)


@app_commands.command(description="Answer, then edit again after some seconds")
async def keep(interaction: discord.Interaction, seconds: float) -> None:
    await interaction.response.send_message("first")
    message = await interaction.original_response()
    await asyncio.sleep(seconds)
    try:
        await interaction.edit_original_response(content="by token")
    except discord.HTTPException as error:
        channel = interaction.client.get_partial_messageable(message.channel.id)
        await channel.get_partial_message(message.id).edit(content=f"by bot token after {error.status}/{error.code}")


@app_commands.command(description="Open a form")
async def ask(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Question())


@app_commands.command(description="For those who manage the server")
@app_commands.default_permissions(manage_guild=True)
async def secret(interaction: discord.Interaction) -> None:
    await interaction.response.send_message(f"{interaction.permissions.manage_guild}", ephemeral=True)


@app_commands.command(description="An embed with an uploaded picture")
async def card(interaction: discord.Interaction) -> None:
    embed = discord.Embed(title="Card").set_image(url="attachment://card.png")
    file = discord.File(io.BytesIO(png("navy", (40, 30))), "card.png")
    await interaction.response.send_message(embed=embed, file=file)


@app_commands.command(description="Upload too much")
async def heavy(interaction: discord.Interaction) -> None:
    await interaction.response.defer(thinking=True)
    file = discord.File(io.BytesIO(b"\0" * (interaction.filesize_limit + 1)), "heavy.bin")
    try:
        await interaction.edit_original_response(attachments=[file])
    except discord.HTTPException as error:
        await interaction.edit_original_response(content=f"{interaction.filesize_limit} {error.status} {error.code}")


@app_commands.command(description="Post in the channel with the bot's token and tell how it went")
async def note(interaction: discord.Interaction, text: str) -> None:
    await interaction.response.defer(ephemeral=True)
    assert isinstance(interaction.channel, discord.TextChannel)
    try:
        await interaction.channel.send(text)
    except (discord.HTTPException, aiohttp.ClientError) as error:
        await interaction.followup.send(f"failed: {type(error).__name__} {getattr(error, 'code', '')}")
    else:
        await interaction.followup.send("sent")


@app_commands.command(description="Read an uploaded picture")
async def lookat(interaction: discord.Interaction, source: discord.Attachment) -> None:
    data = await source.read()
    await interaction.response.send_message(f"{source.width}x{source.height} {len(data)}")


async def main() -> None:
    async with Painter() as bot:
        await bot.start(os.environ["EASEL_DISCORD__TOKEN"])


if __name__ == "__main__":
    discord.utils.setup_logging()
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
