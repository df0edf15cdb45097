"""Signs finished pictures through a process that parses them and holds no key."""

import asyncio
import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from PIL import Image

from bot.calls.repeating import Files
from bot.pictures.inputs import InputPictures
from bot.presenting.jobs.output_files import output_file_name
from bot.provenance.stamping import STAMP_S, Stamping
from bot.store.images import StorageFailed, extension_of
from bot.store.register import Place, RegisterRepository
from bot.store.rows.jobs import Job
from bot.troubles import Cause, Trouble
from pipeline.protocol.wire.messages import Finished
from pipeline.protocol.wire.outputs import OutputFile
from provenance.manifests import ingredient_inputs, ingredients_of, manifest_of, trial_manifest
from provenance.messages import Ingredient, Refusal, Sign, Signed
from provenance.process import COMMAND, Child, ChildFailed

if TYPE_CHECKING:  # the library is missing where c2pa has no wheel
    from provenance.keys import SigningKey

TIMEOUT_S: Final = 2.0
"""Seconds for one signature; pictures of members wait no longer for it."""
START_S: Final = 20.0
"""Seconds for the start of the process and a first signature of a tiny picture."""
RETRY_S: Final = 5.0
HELD_S: Final = 300.0
"""Seconds that a picture is held where it must be signed."""
RESERVE_BYTES: Final = 20 * 1024
"""Bytes that a signature adds to a file at most, with those of pictures that went in."""
_SIGNED_TYPES: Final = frozenset({"image/png", "image/webp", "image/jpeg"})

_log = structlog.get_logger(__name__)


class SigningFailed(Exception):
    """A picture that must be signed could not be signed in time; the text is for the log."""


class Signing:
    """The key, its process, and what became of them.

    Args:
        key: the key; None signs nothing.
        is_required: hold a picture until it is signed.
        inputs: pictures that jobs were given.
        register: keeps the hashes of copies.
        stamping: asks for time stamps.
        command: starts the process.
    """

    def __init__(
        self,
        *,
        key: "SigningKey | None",
        is_required: bool,
        inputs: InputPictures,
        register: RegisterRepository,
        stamping: Stamping,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.key = key
        self.unsigned_total = 0
        """Pictures that went out unsigned although there is a key."""
        self._is_required = is_required
        self._inputs = inputs
        self._register = register
        self.stamping = stamping
        self._command = command
        self._child: asyncio.Task[Child] | None = None
        self._turn = asyncio.Lock()
        self.trouble: Trouble | None = None
        """The failure of the last signature; None if it succeeded."""

    @property
    def reserve_bytes(self) -> int:
        """Bytes that a smaller copy must leave for its signature."""
        return 0 if self.key is None else RESERVE_BYTES

    async def begin(self) -> None:
        """Note the key in the register, and start the process. Without a key nothing happens."""
        if self.key is not None:
            await self._register.use_key(self.key.serial, datetime.now(UTC))
            self._start()

    async def close(self) -> None:
        """End the process."""
        async with self._turn:
            await self._drop()

    async def signed(self, job: Job, finished: Finished) -> tuple[Finished, dict[int, str]]:
        """The outputs of a job, signed as far as possible, and the names of their manifests by the outputs' indexes.

        Raises:
            SigningFailed: each output must be signed, and one could not be for some minutes.
        """
        if self.key is None:
            return finished, {}
        outputs: list[OutputFile] = []
        manifests: dict[int, str] = {}
        ingredients = await self._ingredients(job)
        for output in finished.outputs:
            name = output_file_name(job, output.index, extension_of(output.media_type))
            done = await self._picture(job, output.data, output.media_type, name, ingredients)
            if done is None:
                outputs.append(output)
            else:
                manifests[output.index] = done.manifest
                outputs.append(msgspec.structs.replace(output, data=done.data))
        return msgspec.structs.replace(finished, outputs=tuple(outputs)), manifests

    async def copies(
        self, job: Job, indexes: Sequence[int], originals: Files, fitted: Files
    ) -> list[tuple[str, bytes]]:
        """The files that go out: those that were made smaller are signed like their originals, and noted.

        Args:
            job: the job of the files.
            indexes: index of the output of each file.
            originals: the stored files.
            fitted: the same files, of which some were made smaller by `bot.jobs.delivering.fitting`.

        Raises:
            SigningFailed: each file must be signed, and one could not be for some minutes.
        """
        sent: list[tuple[str, bytes]] = []
        ingredients = () if list(fitted) == list(originals) else await self._ingredients(job)
        for index, original, (name, data) in zip(indexes, originals, fitted, strict=True):
            if data == original[1]:
                sent.append((name, data))
                continue
            done = await self._picture(job, data, f"image/{name.rpartition('.')[2]}", name, ingredients)
            copy = data if done is None else done.data
            sha256 = hashlib.sha256(copy).hexdigest()
            await self._register.add_copy(Place(job_id=job.job_id, image_index=index), sha256)
            sent.append((name, copy))
        return sent

    async def sign(
        self, data: bytes, media_type: str, manifest: str, ingredients: tuple[Ingredient, ...] = ()
    ) -> Signed | str:
        """Sign one file; or the reason for the log why that failed."""
        if self.key is None:
            return "There is no key."
        order = Sign(data=data, media_type=media_type, manifest=manifest, ingredients=ingredients, chain=self.key.chain)
        if not (url := self.stamping.url_now()):
            return await self._ask(order, self.key)
        done = await self._ask(msgspec.structs.replace(order, timestamp_url=url), self.key, work_s=STAMP_S)
        if isinstance(done, Signed):
            self.stamping.note(done.stamp_fault)
            return done
        # An authority that is silent holds up the process, which has ended by that.
        plain = await self._ask(order, self.key, start_s=START_S)
        if isinstance(plain, Signed):
            self.stamping.note(done)
        return plain

    async def _ask(
        self, order: Sign, key: "SigningKey", *, start_s: float = TIMEOUT_S, work_s: float = TIMEOUT_S
    ) -> Signed | str:
        """Let the process sign, within these times for its start and its work; or the reason why that failed."""
        async with self._turn:
            started = self._child or self._start()
            if not (await asyncio.wait({started}, timeout=start_s))[0]:
                return "The process is still starting."
            try:
                answer = await started.result().sign(order, key.seal, work_s)
            except (ChildFailed, OSError) as error:
                await self._drop()
                self._start()
                return repr(error)
        return answer.detail if isinstance(answer, Refusal) else answer

    async def _picture(
        self, job: Job, data: bytes, media_type: str, name: str, ingredients: tuple[Ingredient, ...]
    ) -> Signed | None:
        """The signed file; None if it goes out unsigned.

        Raises:
            SigningFailed: it must be signed, and could not be for some minutes.
        """
        if self.key is None or media_type not in _SIGNED_TYPES:
            return None
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + HELD_S
        has_parent = any(each.relationship == "parentOf" for each in ingredients)
        manifest = manifest_of(job.request, name, datetime.now(UTC), has_parent=has_parent)
        while isinstance(done := await self.sign(data, media_type, manifest, ingredients), str):
            self._note_failure(job, done)
            if not self._is_required:
                self.unsigned_total += 1
                return None
            if loop.time() >= give_up_at:
                raise SigningFailed(done)
            await asyncio.sleep(RETRY_S)
        if self.trouble is not None:
            _log.info("pictures are signed again", action="signed_again", unsigned_total=self.unsigned_total)
            self.trouble = None
        return done

    def _note_failure(self, job: Job, detail: str) -> None:
        """Log the first failure of a row of failures."""
        if self.trouble is not None:
            return
        what = "a picture waits for its signature" if self._is_required else "a picture goes out unsigned"
        _log.warning(what, action="unsigned", detail=detail, **job.log_context())
        follows = (
            f'By provenance.sign = "required" they wait for {HELD_S / 60:.0f} minutes; then their jobs are given back'
            if self._is_required
            else "They go out unsigned"
        )
        sentence = f"Pictures cannot be signed. {follows}. Easel's log has the reason; `easel doctor` looks at the key."
        self.trouble = Trouble(cause=Cause.SIGNING, sentence=sentence, since=datetime.now(UTC))

    async def _ingredients(self, job: Job) -> tuple[Ingredient, ...]:
        """The pictures that went into a job's outputs; none if one of them is gone, or they are too large together."""
        try:
            files = {
                each.sha256: (await self._inputs.read(each.sha256), "image/png")
                for each in ingredient_inputs(job.request)
            }
        except StorageFailed as error:
            _log.info("signed without ingredients", action="no_ingredient", error=str(error), **job.log_context())
            return ()
        return ingredients_of(job.request, files)

    def _start(self) -> asyncio.Task[Child]:
        self._child = asyncio.create_task(self._started(), name="start of the signing process")
        self._child.add_done_callback(_look_at_failure)
        return self._child

    async def _started(self) -> Child:
        """A process that has signed a tiny picture.

        Raises:
            ChildFailed: it cannot sign.
        """
        if self.key is None:
            raise ChildFailed("There is no key.")
        child = await Child.start("stamp" if self.stamping.url else "sign", self._command)
        try:
            order = Sign(
                data=_tiny(),
                media_type="image/png",
                manifest=trial_manifest(datetime.now(UTC)),
                ingredients=(),
                chain=self.key.chain,
            )
            answer = await child.sign(order, self.key.seal, START_S)
        except BaseException:
            await child.close()
            raise
        if isinstance(answer, Refusal):
            await child.close()
            raise ChildFailed(answer.detail)
        return child

    async def _drop(self) -> None:
        """End the process, or its start."""
        started, self._child = self._child, None
        if started is None:
            return
        started.cancel()
        results = await asyncio.gather(started, return_exceptions=True)
        for child in results:
            if isinstance(child, Child):
                await child.close()


def _look_at_failure(started: asyncio.Task[Child]) -> None:
    """Take an exception that nobody waited for, and log it."""
    if not started.cancelled() and (error := started.exception()) is not None:
        _log.warning("the signing process did not start", action="not_started", error=repr(error))


def _tiny() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    return file.getvalue()
