"""`easel verify`: where files come from."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from bot.cli.entry import EXIT_NO_INPUT
from bot.cli.provenance import ProvenanceFailed, need_libraries, opened
from bot.provenance.looking import Anchors, Judged, look_up
from bot.store.register import Place, RegisterRepository
from config.settings import Settings
from pipeline.protocol.reading import MAX_FILE_BYTES
from provenance.messages import Credentials, Refusal
from provenance.verdict import EXIT_CODES, Verdict

_SENTENCES: Final = {
    Verdict.INTACT: "made here, and unchanged since",
    Verdict.KEY_RETIRED: "made here; signed with a key that is no longer in use",
    Verdict.KEY_STOLEN: "signed with a key of ours that others may have; the register does not know it",
    Verdict.SAVED_ANEW: "made here; the file was saved anew, and the pixels are the same",
    Verdict.CHANGED: "carries our signature, but was changed after it was made; do not trust it",
    Verdict.ALIKE: "looks like a picture that was made here; that is no proof",
    Verdict.FOREIGN: "signed by somebody else",
    Verdict.BROKEN: "its Content Credentials do not fit the picture",
    Verdict.CLAIMED: "says of itself that it was made with AI; anybody can write that",
    Verdict.NOTHING: "nothing found; that does not mean that no AI was used",
}


def verify(settings: Settings, files: list[Path], *, as_json: bool, say: Callable[[str], None]) -> int:
    """Print where each file comes from; returns the highest of their exit codes.

    Raises:
        ProvenanceFailed: a file cannot be read, or a library is missing.
    """
    need_libraries()
    return asyncio.run(_verify(settings, files, as_json=as_json, say=say))


async def _verify(settings: Settings, files: list[Path], *, as_json: bool, say: Callable[[str], None]) -> int:
    anchors = Anchors.of(settings)
    database = await opened(settings)
    code = 0
    try:
        register = None if database is None else RegisterRepository(database)
        for file in files:
            judged = await look_up(bytes_of(file), anchors, register)
            if isinstance(judged, Refusal):
                raise ProvenanceFailed(f"{file} is no PNG, JPEG or WebP picture that can be read.", EXIT_NO_INPUT)
            code = max(code, EXIT_CODES[judged.verdict])
            say(_as_json(file, judged) if as_json else f"{file}: {_sentence(judged)}.")
    finally:
        if database is not None:
            await database.close()
    return code


def _sentence(judged: Judged) -> str:
    """The verdict in words. Texts of the file are its maker's, so they stand in quotes, without control characters."""
    found, sentence = judged.reading.credentials, _SENTENCES[judged.verdict]
    if judged.verdict is Verdict.FOREIGN and found is not None:
        vouched = "whom you trust" if judged.is_vouched else "for whom nobody whom you trust vouches"
        sentence += f", {found.signer!r}, {vouched}; it says: {_says(found)}"
    if judged.verdict is Verdict.CLAIMED and judged.reading.tool:
        sentence += f"; it names {judged.reading.tool!r}"
    if judged.alike:
        sentence += f" ({', '.join(map(_named, judged.alike))})"
    if judged.place is not None:
        sentence += f" ({_named(judged.place)})"
    return sentence


def _named(place: Place) -> str:
    return f"job {place.job_id}, picture {place.image_index + 1}"


def _says(found: Credentials) -> str:
    """What a manifest says about its picture."""
    made = "made with AI" if found.is_ai else "made"
    by = f" by {found.tool!r}" if found.tool else ""
    return f"{made}{by}, from {found.ingredients} picture(s)"


def _as_json(file: Path, judged: Judged) -> str:
    found = judged.reading.credentials
    return msgspec.json.encode(
        {
            "file": str(file),
            "verdict": judged.verdict,
            "job": None if judged.place is None else judged.place.job_id,
            "image_index": None if judged.place is None else judged.place.image_index,
            "alike": [each.job_id for each in judged.alike],
            "is_vouched": judged.is_vouched,
            "says_ai": judged.reading.says_ai,
            "tool": judged.reading.tool,
            "credentials": found,
        }
    ).decode()


def bytes_of(file: Path) -> bytes:
    """The bytes of a file.

    Raises:
        ProvenanceFailed: it is too large, or cannot be read.
    """
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            limit = MAX_FILE_BYTES // 1024**2
            raise ProvenanceFailed(f"{file} has more than {limit} MiB, and was not read.", EXIT_NO_INPUT)
        return file.read_bytes()
    except OSError as error:
        raise ProvenanceFailed(f"The file {file} cannot be read: {error.strerror}.", EXIT_NO_INPUT) from error
