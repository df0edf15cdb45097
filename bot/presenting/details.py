"""Lines that `ℹ️` shows for every kind of job."""  # noqa: RUF002 - the sign for information

from collections.abc import Sequence
from typing import Final

import msgspec
from discord import ui

from bot.presenting.escaping import escape
from bot.presenting.links import job_link, parent_link
from bot.presenting.texts import text
from bot.store.rows.jobs import Job
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import CutoutSpec, UpscalerSpec
from pipeline.protocol.inputs import Input


def head_lines(job: Job) -> list[str]:
    """The job, and its parent if it has one."""
    lines = [f"**{text('details-head', job=job_link(job))}**"]
    origin = job.origin
    if origin.lineage is not None:
        lines.append(text("details-lineage", kind=origin.started_by.value, parent=parent_link(job, origin.lineage)))
    return lines


def title_and_license(job: Job, spec: ModelSpec | UpscalerSpec | CutoutSpec | None) -> tuple[str, str]:
    """Of the network that the job used; `spec` is None if it is no longer offered."""
    if spec is None:
        return escape(job.request.model_key), text("details-license-gone")
    return escape(spec.title), escape(spec.license)


def network_lines(job: Job) -> list[str]:
    """What determined the bits of a picture that a network made from another one, once the job is done."""
    if (recipe := job.recipe) is None:
        return []
    versions = ", ".join(f"{name} {version}" for name, version in recipe.versions.items())
    return [
        text(
            "details-enlarged-recipe",
            hash=recipe.model_hash or "?",
            device=escape(recipe.device),
            dtype=recipe.dtype,
            versions=versions,
        )
    ]


def cost_lines(job: Job) -> list[str]:
    """The job's price, and its time if it was drawn."""
    lines = [text("details-price", price=job.price)]
    if job.total_s is not None:
        lines.append(text("details-time", seconds=f"{job.total_s:.1f}"))
    return lines


GIVEN_CHARACTERS: Final = 110
"""Most characters beside a given picture."""


class GivenFile(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that a job was given.

    Attributes:
        picture: the input.
        name: its name in the message.
        data: its bytes; None if it is not kept any more, or not shown.
        is_own: whether whoever reads the message gave it; nobody else sees it.
    """

    picture: Input
    name: str
    data: bytes | None
    is_own: bool = True


def add_given(view: ui.LayoutView, given: Sequence[GivenFile]) -> None:
    """Add the pictures that a job was given, each small beside what it was for.

    They are no part of the posted message, so others than their giver only read that there were some.
    """
    if not given:
        return
    container: ui.Container[ui.LayoutView] = ui.Container()
    for each in given:
        picture = each.picture
        said = text("details-given", use=picture.use or picture.role, strength=f"{picture.strength:g}")
        if not each.is_own:
            container.add_item(ui.TextDisplay(text("details-given-private", given=said)))
        elif each.data is None:
            container.add_item(ui.TextDisplay(text("details-given-gone", given=said)))
        else:
            container.add_item(ui.Section(said, accessory=ui.Thumbnail(f"attachment://{each.name}")))
    view.add_item(container)


def view_of(container: ui.Container[ui.LayoutView]) -> ui.LayoutView:
    """A message without buttons."""
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()
    return view
