"""Finished outputs as attachments of a message: their names, and why some are veiled."""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from bot.presenting.escaping import small
from bot.presenting.texts import text
from bot.store.rows.jobs import Job

_SPOILER: Final = "SPOILER_"
"""Discord's sign in the name of a file: https://discord.com/developers/docs/reference#uploading-files"""


class ShownOutput(msgspec.Struct, frozen=True, kw_only=True):
    """One output of a finished job, as a message shows it.

    Attributes:
        index: index among the requested outputs.
        file_name: name of the attachment.
        data: bytes of the attachment.
        sides: width and height in pixels that the job delivered; None for an output that is no picture.
        is_veiled: whether it is shown behind a spoiler.
    """

    index: int
    file_name: str
    data: bytes
    sides: tuple[int, int] | None = None
    is_veiled: bool = False


def veil_lines(outputs: Sequence[ShownOutput]) -> list[str]:
    """Why outputs are behind a spoiler, if some are."""
    return veil_line(sum(output.is_veiled for output in outputs))


def veil_line(count: int) -> list[str]:
    """Why so many outputs are behind a spoiler, if any are."""
    return [small(text("notice-veiled", count=count))] if count else []


def output_file_name(job: Job, index: int, extension: str) -> str:
    """A file name of numbers only, since a prompt may be no valid name. The last number is the job's timeline."""
    return f"easel-{job.job_id}-{index + 1}-{job.timeline:x}.{extension}"


def exhibit_file_name(job: Job, index: int, extension: str) -> str:
    """The name of the same file in the showcase, where it is no output of the job's message."""
    return f"shown-{output_file_name(job, index, extension)}"


def is_exhibit_of(job: Job, file_name: str) -> bool:
    """Whether a file is an output of this job in the showcase."""
    return file_name.startswith("shown-") and is_output_of(job, file_name.removeprefix("shown-"))


def veiled_name(file_name: str) -> str:
    """The name of a file that Discord shows behind a spoiler, outside layouts."""
    return f"{_SPOILER}{file_name}"


def is_output_of(job: Job, file_name: str, indexes: Collection[int] | None = None) -> bool:
    """Whether a file is a finished output of this job. Previews and outputs of another timeline are not.

    Args:
        job: the job.
        file_name: name of the file, whatever its format is.
        indexes: indexes of the outputs that count; None for all.
    """
    stem = file_name.removeprefix(_SPOILER).partition(".")[0]
    counted = range(job.request.output_count) if indexes is None else indexes
    return any(output_file_name(job, index, "").removesuffix(".") == stem for index in counted)


def attachment(file_name: str) -> str:
    """The address of a message's own attachment."""
    return f"attachment://{file_name}"
