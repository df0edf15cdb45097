"""All modules of the command `easel`, for a process of which forks become it; see `tests.forked_bot`."""

import importlib
import pkgutil

import bot

for _module in pkgutil.walk_packages(bot.__path__, "bot."):
    importlib.import_module(_module.name)
