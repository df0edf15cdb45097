"""A test picture of a new model: `easel models add` offers one, so that its owner sees that it draws."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bot.cli.imagine import draw
from bot.cli.models.failing import ModelsFailed
from bot.cli.pictures import CannotDraw, PictureOptions
from bot.requests.given import GivenRequest
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.protocol.capabilities import Capability

_PROMPT: Final = "a red apple on a wooden table"


def try_out(
    key: str,
    settings: Settings,
    catalogue: Catalogue,
    *,
    agree: Callable[[str], bool] | None,
    say: Callable[[str], None],
) -> Path | None:
    """Draw a test picture of a model if the owner wants one; otherwise say how.

    Args:
        key: key of the model.
        settings: the settings.
        catalogue: the models.
        agree: asks the owner; None asks nothing and draws nothing.
        say: prints a sentence.

    Returns:
        The picture; None if none was drawn.

    Raises:
        ModelsFailed: it could not be drawn.
    """
    if not catalogue.models[key].can(Capability.TEXT_TO_IMAGE):
        say(f'It changes pictures. Try it: easel imagine "make it winter" --image photo.png --model {key} -o {key}.png')
        return None
    out = Path(f"{key}-test.png")
    if agree is None or out.exists() or not agree(f"Does it run? Draw a test picture into {out}?"):
        say(f'Try it: easel imagine "{_PROMPT}" --model {key} -o {out}')
        return None
    given = GivenRequest(prompt=_PROMPT, model_key=key)
    try:
        asyncio.run(draw(given, out, options=PictureOptions(), settings=settings, catalogue=catalogue))
    except CannotDraw as error:
        raise ModelsFailed(f"{key} stands in the catalogue, but drew no test picture: {error}") from error
    return out
