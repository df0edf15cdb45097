"""Words of the bot to one host, and its answers."""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from pipeline.backends.base import WorkerSilent, WorkerUnavailable
from pipeline.backends.hosts.ends import EndRefused, check_outputs, checked_preview
from pipeline.link.link import Link, NoAnswer
from pipeline.link.parcels import ParcelRefused, discard, put
from pipeline.link.subjects import to_host
from pipeline.protocol.errors import ProtocolError
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.codec import encode_body
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.hosts import (
    PARCEL_BYTES,
    HostAnswer,
    Introduce,
    Key,
    NotTaken,
    Parcel,
    Taken,
    decode_host_answer,
)
from pipeline.protocol.wire.messages import Cancel, Check, Checked, FindPart, FoundPart, Submit
from pipeline.protocol.wire.settings import Checking
from pipeline.protocol.wire.skew import unknown_fields

_SUBMIT_S: Final = 2.0
"""Seconds that a host may take to accept an attempt."""
_PARCEL_S: Final = 30.0
"""The same with pictures, which it fetches first."""
_FIND_S: Final = 60.0
_CHECK_S: Final = 2.0
_FINISH_S: Final = 60.0


class Asking:
    """What the bot asks one host.

    Args:
        link: the link to it.
        host: its name.
        knows: the fields of words that it knows.
    """

    def __init__(self, link: Link, host: str, knows: Callable[[], Collection[str]]) -> None:
        self._link = link
        self._host = host
        self._knows = knows

    async def submit(self, key: Key, request: Request, pictures: Mapping[str, bytes], checking: Checking) -> None:
        """Have an attempt drawn.

        Raises:
            WorkerUnavailable: the host does not take it.
            WorkerSilent: it is not known whether it did.
        """
        submit = Submit(job_id=key[0], attempt=key[1], request=request, pictures=dict(pictures), checking=checking)
        answer = await self._ask(submit, _SUBMIT_S)
        if not isinstance(answer, Taken):
            raise WorkerUnavailable(_detail_of(answer))

    async def cancel(self, key: Key) -> bool:
        """Stop an attempt; False if the host did not hear it."""
        try:
            await self._link.ask(to_host(self._host), Cancel(job_id=key[0], attempt=key[1]), _SUBMIT_S)
        except NoAnswer:
            return False
        return True

    async def find_part(self, picture: bytes, words: str) -> FoundPart:
        """Mark the part of a picture that words name.

        Raises:
            WorkerUnavailable: the host did not answer in time.
        """
        answer = await self._ask(FindPart(question=0, picture=picture, words=words), _FIND_S)
        if isinstance(answer, FoundPart):
            return answer
        raise WorkerUnavailable(_detail_of(answer))

    async def check(self, pictures: Sequence[bytes], checking: Checking) -> Checked:
        """Rate pictures.

        Raises:
            WorkerUnavailable: the host did not answer in time.
        """
        answer = await self._ask(Check(question=0, pictures=tuple(pictures), checking=checking), _CHECK_S)
        if isinstance(answer, Checked):
            return answer
        raise WorkerUnavailable(_detail_of(answer))

    async def finish_pictures(self, asked: FinishPictures) -> FinishedPictures:
        """Have files made of pictures that another engine drew.

        Raises:
            WorkerUnavailable: the host did not answer in time, or with other files than it should.
        """
        answer = await self._ask(asked, _FINISH_S)
        if not isinstance(answer, FinishedPictures):
            raise WorkerUnavailable(_detail_of(answer))
        try:
            check_outputs(answer.outputs, len(answer.hidden), len(asked.pictures))
        except EndRefused as error:
            raise WorkerUnavailable(str(error)) from error
        return msgspec.structs.replace(answer, preview=checked_preview(answer.preview))

    async def introduce(self) -> None:
        """Ask the agent to introduce itself."""
        await self._link.say(to_host(self._host), Introduce())

    async def _ask(self, word: Submit | FindPart | Check | FinishPictures, within_s: float) -> HostAnswer:
        """The host's answer to a word; a large one goes as a parcel.

        Raises:
            WorkerUnavailable: it is older than this bot, and does not know what is asked.
            WorkerSilent: there was none in time.
        """
        unknown = unknown_fields(word, self._knows())
        if unknown:
            names = ", ".join(unknown)
            raise WorkerUnavailable(f"The host {self._host} is older and does not know {names}; update it.")
        body = encode_body(word)
        try:
            if len(body) <= PARCEL_BYTES:
                return decode_host_answer(await self._link.ask(to_host(self._host), word, within_s))
            return await self._ask_by_parcel(body, max(within_s, _PARCEL_S))
        except (NoAnswer, ParcelRefused, ProtocolError) as error:
            raise WorkerSilent(f"The host {self._host} did not answer ({error})") from error

    async def _ask_by_parcel(self, body: bytes, within_s: float) -> HostAnswer:
        parcel = Parcel(name=f"word-{secrets.token_hex(8)}")
        await put(self._link.streams, self._host, parcel.name, body)
        try:
            return decode_host_answer(await self._link.ask(to_host(self._host), parcel, within_s))
        finally:
            await discard(self._link.streams, self._host, parcel.name)


def _detail_of(answer: HostAnswer) -> str:
    return answer.detail if isinstance(answer, NotTaken) else "The host gave another answer than was asked for."
