"""`ℹ️`: the facts of a finished job, and the command that repeats it."""  # noqa: RUF002 - the sign for information

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from discord import ui

from bot.presenting.details import GIVEN_CHARACTERS, cost_lines, head_lines, title_and_license, view_of
from bot.presenting.escaping import escape, plain, shorten
from bot.presenting.settings_message import defaults_line
from bot.presenting.summaries import summary
from bot.presenting.texts import text
from bot.requests.options.sizes import delivered_sides, size_values_of
from bot.requests.options.table import OPTIONS
from bot.store.rows.jobs import Job
from bot.store.rows.outputs import Output
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Inpaint
from pipeline.protocol.requests import GenerationRequest, narrowed

_MAX_CHARACTERS: Final = 4_000
"""Discord's limit for all words in a message of components."""
_MAX_FOREIGN: Final = 2_600
_SAID: Final = frozenset(("seed", "steps", "cfg", "sampler", "size", "model", "images", "negative"))
"""Options that have their place: in the sentence of options, in a line of their own, or in the command."""


def details(
    job: Job, spec: ModelSpec | None, outputs: Sequence[Output]
) -> tuple[ui.LayoutView, list[tuple[str, bytes]]]:
    """The layout, and a file with the command if the command is too long for the message.

    Args:
        job: the job.
        spec: the job's model; None if it is no longer offered.
        outputs: the job's pictures.
    """
    request = narrowed(job.request, GenerationRequest)
    title, licence = title_and_license(job, spec)
    lines = [*head_lines(job), text("details-model", model=title, license=licence)]
    first = next(iter(outputs), None)
    delivered = delivered_sides(request, spec) if first is None else first.sides
    lines += _options(request, delivered)
    if len(outputs) > 1:
        lines.append(text("details-seeds", seeds=", ".join(str(output.seed) for output in outputs)))
    lines += cost_lines(job)
    lines += _recipe(job)
    lines += _defaults(job)
    if request.inpaint is not None:
        lines.append(text("details-inpaint", part=_part(request.inpaint)))
        if request.whole is not None:
            lines.append(text("details-window", size=f"{request.width}\u00d7{request.height}"))
    elif request.tiles is not None:
        lines.append(text("details-tiles", count=request.tiles.count(request.width, request.height)))
    elif request.given:
        lines.append(text("details-image"))
    explanation = "\n".join(lines)
    container: ui.Container[ui.LayoutView] = ui.Container(ui.TextDisplay(explanation))
    begun_with = _begun_with(request)
    command = command_of(begun_with)
    kind = "command" if begun_with == request else "words" if _is_of_words(request) else "begun"
    files: list[tuple[str, bytes]] = []
    shown = f"{text('details-purpose', kind=kind)}\n```\n{command}\n```"
    if len(explanation) + len(shown) <= _MAX_CHARACTERS - GIVEN_CHARACTERS * len(request.inputs):
        container.add_item(ui.TextDisplay(shown))
    else:
        files.append((f"easel-{job.job_id}.txt", command.encode()))
        container.add_item(ui.TextDisplay(text("details-command-file", kind=kind)))
        container.add_item(ui.File(f"attachment://{files[0][0]}"))
    return view_of(container), files


def foreign(parameters: str | None) -> ui.LayoutView:
    """The layout for a file of no job of ours: its own metadata; None if it has none."""
    if parameters is None:
        return view_of(ui.Container(ui.TextDisplay(text("refused-no-parameters"))))
    shown = shorten(parameters.replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}"), _MAX_FOREIGN)
    return view_of(ui.Container(ui.TextDisplay(f"{text('details-foreign')}\n```\n{shown}\n```")))


def command_of(request: GenerationRequest) -> str:
    """The command that repeats the first picture and those after it."""
    values = {"prompt": request.prompt, **{option.name: option.written(request) for option in OPTIONS}}
    return " ".join(["/imagine", *(f"{name}: {_pasted(str(value))}" for name, value in values.items() if value != "")])


def _begun_with(request: GenerationRequest) -> GenerationRequest:
    """The request that a command can express. For a varied or upscaled picture, it is that of the first picture.

    No command draws a part of a picture anew, so that of the whole picture takes its place. Nor does one draw in tiles,
    so that of the words takes its place.
    """
    if _is_of_words(request):
        request = msgspec.structs.replace(request, inpaint=None, tiles=None, inputs=())
    if not request.variations and request.upscale is None:
        return request
    return msgspec.structs.replace(request, variations=(), upscale=None, num_images=1)


def _is_of_words(request: GenerationRequest) -> bool:
    """Whether the shown command only has the words of a request, since no command says the rest."""
    return request.inpaint is not None or request.tiles is not None


def _part(inpaint: Inpaint) -> str:
    """The word of a part in `details-inpaint`."""
    if inpaint.outpaint is not None:
        return "around"
    return "cells" if inpaint.cells else "mask"


def _recipe(job: Job) -> list[str]:
    """The job's model hash, device, data type and versions, if known. They too decide the bits of a picture."""
    if job.recipe is None:
        return []
    if not job.recipe.scheduler:  # an engine of others drew it
        versions = ", ".join(job.recipe.versions.values())
        return [text("details-recipe-engine", device=escape(job.recipe.device), versions=escape(versions))]
    files = {
        "details-recipe-loras": job.recipe.loras,
        "details-recipe-embeddings": job.recipe.embeddings,
        "details-recipe-networks": job.recipe.networks,
    }
    return [
        text(
            "details-recipe",
            hash=job.recipe.model_hash or "?",
            scheduler=job.recipe.scheduler,
            rows=", ".join(map(str, job.recipe.rows)),
            device=escape(job.recipe.device),
            dtype=job.recipe.dtype,
            versions=", ".join(f"{name} {version}" for name, version in job.recipe.versions.items()),
        ),
        *(text(key, files=_with_digits(used)) for key, used in files.items() if used),
    ]


def _with_digits(files: Mapping[str, str]) -> str:
    return ", ".join(f"{escape(name)} {digits or '?'}" for name, digits in files.items())


def _defaults(job: Job) -> list[str]:
    """The defaults that the job used, their owners and their order; empty if it used none."""
    lines = [
        text("details-defaults", whose=whose, defaults=line)
        for whose in job.defaults.__struct_fields__
        if (line := defaults_line(getattr(job.defaults, whose)))
    ]
    return [*lines, text("details-order")] if lines else []


def _options(request: GenerationRequest, delivered: tuple[int, int] | None) -> list[str]:
    said = text(
        "details-options",
        seed=request.seed,
        steps=request.num_inference_steps,
        cfg=f"{request.guidance_scale:g}",
        sampler=escape(request.scheduler_name),
        **size_values_of(request, delivered),
    )
    others = [summary(option, request, None) for option in OPTIONS if option.name not in _SAID]
    lines = [" · ".join([said, *filter(None, others)])]
    lines += [
        text("details-variation", seed=step.seed, strength=f"{step.strength:g}") for step in request.variations[-5:]
    ]
    if request.upscale is not None:
        lines.append(text("details-upscale", scale=request.upscale.scale, strength=f"{request.upscale.strength:g}"))
    return lines


def _pasted(words: str) -> str:
    """A member's words for a code block. Three backticks would end the block, so backticks are replaced."""
    return plain(words).replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}")
