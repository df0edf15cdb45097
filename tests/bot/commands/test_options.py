"""Suggestions: one that Discord does not take would take all of them away."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from discord import app_commands
from discord.app_commands import Choice

from bot.commands.options import add_style_suggestions, add_suggestions, add_use_suggestions, matching, suggestions
from bot.interactions.services import Services
from bot.requests.styles import find_style, option_value
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.base import BackendStatus, WorkerState
from pipeline.protocol.loras import LoraEntry
from playground.limits import mistake_in
from tests.control_nets import CANNY
from tests.pipeline.backends.children.speech import READY

LONG = "absolutely_realistic_merge_of_everything_" * 4
"""As names of merged checkpoints are: over 150 characters."""


def refused(choices: list[Choice[str]]) -> str | None:
    """What Discord has against a list."""
    body = {"type": 8, "data": {"choices": [choice.to_dict() for choice in choices]}}
    return mistake_in("POST", "/interactions/1/a-token/callback", body, 0)


def shown(choices: list[Choice[str]]) -> list[tuple[str, str]]:
    return [(choice.name, choice.value) for choice in choices]


async def suggested(command: Any, option: str, typed: str) -> list[Choice[str]]:
    """What a command suggests for an option."""
    interaction = SimpleNamespace(namespace=SimpleNamespace())
    return cast("list[Choice[str]]", await command._params[option].autocomplete(interaction, typed))


def imagine_of(catalogue: Catalogue, loras: tuple[LoraEntry, ...] = ()) -> Any:
    """A command with the suggestions of an owner's catalogue and folder."""
    ready = msgspec.structs.replace(READY, loras=loras)
    status = BackendStatus(state=WorkerState.READY, ready=ready, rss_bytes=0, phase="idle", restarts=0, detail="")

    async def suggest(_: Any, choices: list[Choice[str]]) -> None:
        """Discord's own refusal: all of them, or none."""
        assert refused(choices) is None

    services = cast(
        "Services",
        SimpleNamespace(
            catalogue=catalogue,
            settings=Settings(),
            backend=SimpleNamespace(status=status),
            calls=SimpleNamespace(suggest=suggest),
        ),
    )

    @app_commands.command(name="imagine", description="-")
    async def imagine(interaction: Any, model: str, size: str, sampler: str, style: str, use: str, use2: str) -> None:
        """Never called here."""

    add_suggestions(imagine, services)
    add_style_suggestions(imagine, services)
    add_use_suggestions(imagine, services)
    return imagine


@pytest.mark.parametrize("title", [LONG, "🐸" * 120, "x" * 101, "\u200b", "  "])
async def test_a_title_of_any_length_takes_no_suggestion_away(catalogue: Catalogue, title: str) -> None:
    merged = msgspec.structs.replace(catalogue.default, key="m57", title=title)
    many = msgspec.structs.replace(catalogue, models={**catalogue.models, "m57": merged})
    choices = await suggested(imagine_of(many), "model", "")
    assert refused(choices) is None
    assert [choice.value for choice in choices] == [*catalogue.models, "m57"]
    assert [choice.value for choice in await suggested(imagine_of(many), "model", "M57")] == ["m57"]


async def test_titles_that_look_alike_are_told_apart(catalogue: Catalogue) -> None:
    models = {key: msgspec.structs.replace(catalogue.default, key=key, title=f"{LONG}{key}") for key in ("m57", "m58")}
    choices = await suggested(imagine_of(msgspec.structs.replace(catalogue, models=models)), "model", "")
    assert refused(choices) is None
    assert [choice.name[-6:] for choice in choices] == [" (m57)", " (m58)"]


async def test_a_style_whose_file_has_a_long_name_is_offered_and_found(catalogue: Catalogue) -> None:
    styles = tuple(LoraEntry(name=f"{letter * 120}", title=title) for letter, title in (("a", ""), ("b", LONG)))
    choices = await suggested(imagine_of(catalogue, styles), "style", "")
    assert refused(choices) is None
    assert [find_style(choice.value, styles) for choice in choices] == [*styles]
    assert len(option_value(styles[0])) == 100


async def test_at_most_25_are_suggested(catalogue: Catalogue) -> None:
    styles = tuple(LoraEntry(name=f"style{number}", title=f"Style {number}") for number in range(60))
    assert len(await suggested(imagine_of(catalogue, styles), "style", "")) == 25
    for option in ("size", "sampler"):
        assert refused(await suggested(imagine_of(catalogue), option, "")) is None


async def test_a_use_is_suggested_where_the_model_has_it(catalogue: Catalogue) -> None:
    """The shipped catalogue has no networks, so only a start is left."""
    command = imagine_of(catalogue)
    assert shown(await suggested(command, "use", "")) == [("start: draw from this picture", "start")]
    assert await suggested(command, "use2", "lines") == []


async def test_nets_are_suggested_where_a_use_has_several(catalogue: Catalogue) -> None:
    spec = msgspec.structs.replace(catalogue.default, lacks=())
    controls = {key: msgspec.structs.replace(CANNY, key=key, title=f"The {key}") for key in ("canny", "soft")}
    listed = Catalogue(models={spec.key: spec}, default_key=spec.key, controls=controls)
    assert shown(await suggested(imagine_of(listed), "use2", "lines")) == [
        ("lines: follow the lines of this picture", "lines"),
        ("lines by The canny", "lines canny"),
        ("lines by The soft", "lines soft"),
        ("lines map: this is a ready-made map", "lines map"),
    ]
    single = msgspec.structs.replace(listed, controls={"canny": controls["canny"]})
    found = shown(await suggested(imagine_of(single), "use", "lines"))
    assert [value for _, value in found] == ["lines", "lines map"]


def test_a_value_that_discord_does_not_take_is_left_out() -> None:
    names = [("empty", ""), ("too long", "x" * 101), ("right", "x" * 100), ("again", "x" * 100)]
    assert shown(suggestions(names)) == [("right", "x" * 100)]


def test_what_is_typed_is_found_in_what_is_shown_and_in_what_stands_for_it() -> None:
    names = [("Dream Shaper", "ds8"), ("Deliberate", "d3")]
    assert shown(matching(" SHAPER ", names)) == [("Dream Shaper", "ds8")]
    assert shown(matching("D3", names)) == [("Deliberate", "d3")]
    assert shown(matching("", names)) == names
    assert matching("none", names) == []
