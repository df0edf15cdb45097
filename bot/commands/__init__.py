"""Slash commands. Each one parses its options, calls a service and presents the answer."""

import discord
from discord import app_commands

from bot.commands.admin import make_admin
from bot.commands.blend import make_blend
from bot.commands.cutout import make_cutout
from bot.commands.grids.grid import make_grid
from bot.commands.help import make_help
from bot.commands.history.history import make_favourites, make_history
from bot.commands.imagine import make_imagine
from bot.commands.menus import make_menus
from bot.commands.morph import make_morph
from bot.commands.privacy import make_privacy
from bot.commands.queue import make_queue
from bot.commands.quota import make_quota
from bot.commands.settings import make_settings
from bot.commands.styles import make_styles
from bot.commands.upscale import make_upscale
from bot.commands.verify import make_verify
from bot.interactions.services import Services
from bot.provenance.key import missing_library
from bot.requests.abilities import blending


def add_commands(tree: app_commands.CommandTree[discord.Client], services: Services) -> None:
    """Add every command to the tree. Bounds come from the catalogue, so Discord refuses the values that Easel would."""
    tree.add_command(make_imagine(services))
    tree.add_command(make_grid(services))
    if blending(services.catalogue):
        tree.add_command(make_blend(services))
    if any(spec.has_morphs for spec in services.catalogue.models.values()):
        tree.add_command(make_morph(services))
    if services.catalogue.upscalers:
        tree.add_command(make_upscale(services))
    if not missing_library():
        tree.add_command(make_verify(services))
    if services.catalogue.cutouts:
        tree.add_command(make_cutout(services))
    tree.add_command(make_quota(services))
    tree.add_command(make_queue(services))
    tree.add_command(make_history(services))
    tree.add_command(make_favourites(services))
    tree.add_command(make_settings(services))
    if services.settings.pipeline.lora_directory is not None:
        tree.add_command(make_styles(services))
    tree.add_command(make_privacy(services))
    tree.add_command(make_help(services))
    tree.add_command(make_admin(services))
    for menu in make_menus(services):
        tree.add_command(menu)
