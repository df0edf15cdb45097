"""`/help`: a short page for each topic, with examples that run at one press."""

from collections.abc import Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import discord
import msgspec
from discord import ui

from bot.presenting.custom_ids import example_id
from bot.presenting.escaping import escape, escape_into
from bot.presenting.texts import text
from bot.requests.options.sizes import size_values
from pipeline.protocol.catalogue.models import ModelSpec

MAX_MODELS: Final = 12
"""Most models in the list; so many lines always fit into one message."""
_MAX_MODEL_TITLE: Final = 40
_MAX_MODEL_WORDS: Final = 70
_MAX_THINGS: Final = 1_800
_MAX_OTHERS: Final = 200


class Topic(StrEnum):
    """Help topics, in the order in which people need them."""

    START = "start"
    PROMPTS = "prompts"
    WORDS = "words"
    OPTIONS = "options"
    BUTTONS = "buttons"
    QUOTA = "quota"
    SETTINGS = "settings"
    MODELS = "models"
    MIDJOURNEY = "midjourney"
    ADMINS = "admins"


EXAMPLES: Final = (
    "a green cactus in the desert",
    "two yellow stars on a blue background",
    "a (purple:1.4) umbrella on a [yellow] background",
    "a [blue:red:0.5] heart",
    "four red hearts --seed 7 --steps 24",
    "a penguin in the snow --no fog --steps 30 --cfg 6",
)
"""Prompts of the examples, in the language of the models. A button's id holds an index into this list.

Each example draws its words from any seed; `tests/recipes/pocket/test_offered.py` checks it.
"""
_SHOWN: Final = MappingProxyType({Topic.START: (0, 1), Topic.PROMPTS: (2, 3), Topic.OPTIONS: (4, 5)})

_HABITS: Final = MappingProxyType(
    {
        **dict.fromkeys(("info", "subscribe", "fast", "relax", "turbo"), Topic.QUOTA),
        "prefer": Topic.SETTINGS,
        **dict.fromkeys(("describe", "shorten", "show", "organize", "tune", "stealth", "public"), Topic.MIDJOURNEY),
    }
)
"""Midjourney's commands, for members who ask for help with them."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the options on this host."""

    steps: int
    cfg: float
    images: int


def topic_of(words: str) -> Topic | None:
    """A topic by its key, by its name in the spoken language, or by a command of Midjourney.

    Members may send words that autocomplete did not offer.
    """
    wanted = words.strip().casefold()
    found = next((topic for topic in Topic if wanted in (topic, topic_name(topic).casefold())), None)
    return found or _HABITS.get(wanted.removeprefix("/").partition(" ")[0])


def topic_name(topic: Topic) -> str:
    """A topic's name in the spoken language."""
    return text(f"topic-{topic}")


def help_page(topic: Topic, *, reach: Reach, models: Sequence[ModelSpec], default_key: str) -> ui.LayoutView:
    """One page: a few sentences, examples with a button each, and the names of the other topics."""
    words = text(
        f"help-{topic}", steps=reach.steps, cfg=f"{reach.cfg:g}", images=reach.images, bars="{a|b}", commas="{a, b}"
    )
    if topic is Topic.MODELS:
        words = "\n".join([words, *_model_lines(models, default_key)])
    elif topic is Topic.WORDS:
        words = "\n".join([words, *_words_lines(models)])
    container: ui.Container[ui.LayoutView] = ui.Container(
        ui.TextDisplay(f"**{topic_name(topic)}**\n{words}"), accent_color=discord.Color.blurple()
    )
    for number in _SHOWN.get(topic, ()):
        # Discord renders no markup in code, so an example looks as it is typed.
        shown: ui.TextDisplay[ui.LayoutView] = ui.TextDisplay(f"`/imagine prompt: {EXAMPLES[number]}`")
        container.add_item(ui.Section(shown, accessory=_try_button(number)))
    others = ", ".join(topic_name(other) for other in Topic if other is not topic)
    container.add_item(ui.TextDisplay(text("help-more", topics=others)))
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()
    return view


def _try_button(number: int) -> ui.Button[ui.LayoutView]:
    return ui.Button(label=text("button-try"), style=discord.ButtonStyle.secondary, custom_id=example_id(number))


def _words_lines(models: Sequence[ModelSpec]) -> list[str]:
    """The vocabulary of the first model that has one; models with a full vocabulary have none."""
    lines = [
        text(
            "help-model-words",
            title=escape(spec.title, _MAX_MODEL_TITLE),
            things=escape_into(", ".join(spec.vocabulary.things), _MAX_THINGS),
            colors=escape_into(", ".join(spec.vocabulary.colors), _MAX_OTHERS),
            places=escape_into(", ".join(spec.vocabulary.places), _MAX_OTHERS),
            styles=escape_into(", ".join(spec.vocabulary.styles), _MAX_OTHERS) or "none",
        )
        for spec in models
        if spec.vocabulary is not None
    ]
    return lines[:1] or [text("help-all-words")]


def _model_lines(models: Sequence[ModelSpec], default_key: str) -> list[str]:
    """The offered models, each with its owner's description."""
    lines = [
        text(
            "help-model",
            title=escape(spec.title, _MAX_MODEL_TITLE),
            usual="yes" if spec.key == default_key else "no",
            description=escape(spec.description, _MAX_MODEL_WORDS) or "none",
            steps=spec.defaults.steps,
            **size_values(*(usual := (spec.defaults.width, spec.defaults.height)), spec.delivered(*usual)),
        )
        for spec in models[:MAX_MODELS]
    ]
    if len(models) > MAX_MODELS:
        lines.append(text("help-more-models", count=len(models) - MAX_MODELS))
    return lines
