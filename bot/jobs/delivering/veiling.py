"""Pictures that go to their member directly: what was behind a spoiler stays behind one."""

from collections.abc import Sequence

from bot.calls.repeating import Files
from bot.presenting.jobs.output_files import veil_line, veiled_name
from bot.store.rows.outputs import Output
from pipeline.protocol.wire.outputs import Rating


def veiled(outputs: Sequence[Output], files: Files) -> Files:
    """The files of outputs, in the same order; Discord shows those that are more than harmless behind a spoiler."""
    return [
        (name if output.rating is Rating.HARMLESS else veiled_name(name), data)
        for output, (name, data) in zip(outputs, files, strict=True)
    ]


def with_reason(sentence: str, outputs: Sequence[Output]) -> str:
    """A sentence, and why outputs are behind a spoiler, if some are."""
    return "\n".join([sentence, *veil_line(sum(output.rating is not Rating.HARMLESS for output in outputs))])
