"""What a worker of a fleet did of late: how fast it draws, and whether it should rest.

A worker that fails several jobs in a row, or suddenly takes many times as long as it used to, rests: it gets no jobs
that others can draw. After some minutes it is tried with one job.
"""

import contextlib
import statistics
from collections import deque
from collections.abc import Callable, Generator
from typing import Final

from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest, Request
from pipeline.protocol.wire.hosts import Key
from pipeline.protocol.wire.messages import Failed, Finished
from pipeline.protocol.wire.outputs import Recipe

REST_S: Final = 300.0
FAILURES: Final = 3
"""Different jobs in a row that fail before a worker rests."""
LAG: Final = 4.0
"""A worker lags when its last jobs each took so many times what it usually takes."""
_LAGGING: Final = 3
_KNOWN: Final = 20
_LEAST_KNOWN: Final = 5
_INNOCENT: Final = frozenset(
    {
        FailureReason.CANCELLED,
        FailureReason.INVALID_REQUEST,
        FailureReason.UNFIT_SAMPLER,
        FailureReason.FLAGGED_INPUT,
        FailureReason.TIMEOUT,
    }
)
"""Failures that say nothing about the worker."""


class Record:
    """The record of one worker.

    Args:
        default_key: key of the model that a worker loads first.
        now: a clock in seconds that never goes back.
    """

    def __init__(self, default_key: str, now: Callable[[], float]) -> None:
        self._default_key = default_key
        self._now = now
        self._requests: dict[Key, Request] = {}
        self._paces: dict[str, deque[float]] = {}
        self._failed: set[int] = set()
        self._until_s: float | None = None
        self._last_key = default_key
        self.why = ""
        """One sentence on why it rests or is tried; empty otherwise."""
        self.hashes: dict[str, str] = {}
        """Hashes of the files that it drew with, by what they are."""

    def begin(self, key: Key, request: Request) -> None:
        """Note an attempt that the worker gets."""
        self._requests[key] = request
        self._last_key = request.model_key

    @contextlib.contextmanager
    def beginning(self, key: Key, request: Request) -> Generator[None]:
        """Note an attempt that the worker gets in the context; if that fails, it did not take it."""
        self.begin(key, request)
        try:
            yield
        except BaseException:
            self._requests.pop(key, None)
            raise

    def end(self, event: Finished | Failed) -> None:
        """Note the end of an attempt."""
        request = self._requests.pop((event.job_id, event.attempt), None)
        if isinstance(event, Finished):
            self._failed.clear()
            self._until_s, self.why = None, ""
            if request is not None and event.recipe is not None:
                self.hashes |= _hashes(request, event.recipe)
            if request is not None:
                self._time(request.model_key, max(0.0, event.total_s) / _work(request))
        elif event.reason is FailureReason.HOST_LOST:
            # A loss takes all of its attempts at once, and counts as one failure.
            self._requests.clear()
            self._last_key = self._default_key
            if request is not None:
                self._fail(event.job_id, event)
        elif event.reason not in _INNOCENT:
            self._fail(event.job_id, event)

    def same_model(self, model_key: str) -> int:
        """Number of its running attempts with a model."""
        return sum(request.model_key == model_key for request in self._requests.values())

    def is_loaded(self, model_key: str) -> bool:
        """Whether it drew with a model last, so that it need not load it."""
        return self._last_key == model_key

    def usual_s(self, request: Request) -> float:
        """Seconds that a request usually takes there; 0 if they are not known."""
        paces = self._paces.get(request.model_key)
        return statistics.median(paces) * _work(request) if paces else 0.0

    @property
    def is_resting(self) -> bool:
        """Whether it should get no attempts that others can draw. A worker on trial rests while it has one."""
        return self._until_s is not None and (self._now() < self._until_s or bool(self._requests))

    def _fail(self, job_id: int, failed: Failed) -> None:
        self._failed.add(job_id)
        if len(self._failed) >= FAILURES or self._until_s is not None:
            self._rest(
                f"It failed {len(self._failed)} jobs in a row, the last one with: {failed.detail or failed.reason}"
            )

    def _time(self, model_key: str, pace: float) -> None:
        paces = self._paces.setdefault(model_key, deque(maxlen=_KNOWN))
        paces.append(pace)
        earlier, last = [*paces][:-_LAGGING], [*paces][-_LAGGING:]
        if len(earlier) >= _LEAST_KNOWN and min(last) > LAG * statistics.median(earlier):
            # Who stays slow gets jobs by its new pace after the rest.
            del self._paces[model_key]
            self._rest(f"Its last {_LAGGING} jobs each took more than {LAG:g} times as long as usual.")

    def _rest(self, why: str) -> None:
        self._until_s = self._now() + REST_S
        self.why = why


def _hashes(request: Request, recipe: Recipe) -> dict[str, str]:
    loras = {f"LoRA {name}": digest for name, digest in recipe.loras.items()}
    found = {request.model_key: recipe.model_hash, **recipe.networks, **loras}
    return {name: digest for name, digest in found.items() if digest}


def _work(request: Request) -> float:
    """The work of a request in comparison with others of the same model, at least 1."""
    if isinstance(request, GenerationRequest):
        return max(1.0, request.num_inference_steps * request.num_images * request.width * request.height)
    return 1.0
