"""Lines that `ℹ️` shows for every kind of job."""  # noqa: RUF002 - the sign for information

from discord import ui

from bot.presenting.escaping import escape
from bot.presenting.links import job_link, parent_link
from bot.presenting.texts import text
from bot.store.rows import Job
from pipeline.protocol.models import ModelSpec
from pipeline.protocol.networks import UpscalerSpec


def head_lines(job: Job) -> list[str]:
    """The job, and its parent if it has one."""
    lines = [f"**{text('details-head', job=job_link(job))}**"]
    origin = job.origin
    if origin.lineage is not None:
        lines.append(text("details-lineage", kind=origin.started_by.value, parent=parent_link(job, origin.lineage)))
    return lines


def title_and_license(job: Job, spec: ModelSpec | UpscalerSpec | None) -> tuple[str, str]:
    """Of the network that the job used; `spec` is None if it is no longer offered."""
    if spec is None:
        return escape(job.request.model_key), text("details-license-gone")
    return escape(spec.title), escape(spec.license)


def cost_lines(job: Job) -> list[str]:
    """The job's price, and its time if it was drawn."""
    lines = [text("details-price", price=job.price)]
    if job.total_s is not None:
        lines.append(text("details-time", seconds=f"{job.total_s:.1f}"))
    return lines


def view_of(container: ui.Container[ui.LayoutView]) -> ui.LayoutView:
    """A message without buttons."""
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()
    return view
