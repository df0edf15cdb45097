"""Work beside the step loop: decoding, enlarging, encoding, previews. What comes of it returns to the loop's thread."""

import contextlib
import queue
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

import torch

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import Placement

_T = TypeVar("_T")

_ENCODERS: Final = 2


class Background:
    """Two pools: one thread that uses the device beside the steps, and some that use only processors.

    All but the work itself is called from the loop's thread.

    Args:
        placement: the device.
        wake: called, from any thread, when something has come back.
        activity: told of threads that are at work.
    """

    def __init__(self, placement: Placement, wake: Callable[[], None], activity: Activity) -> None:
        self._placement = placement
        self._wake = wake
        self._activity = activity
        self._decoder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode")
        self._encoders = ThreadPoolExecutor(max_workers=_ENCODERS, thread_name_prefix="encode")
        self._returned: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._away = 0
        is_cuda = placement.device.type == "cuda"
        self._stream = torch.cuda.Stream(placement.device) if is_cuda else None

    @property
    def has_returned(self) -> bool:
        """There is something for `collect`."""
        return not self._returned.empty()

    @property
    def is_busy(self) -> bool:
        """Something is under way or has come back."""
        return self._away > 0

    def on_device(self, work: Callable[[], _T], then: Callable[[Future[_T]], None]) -> None:
        """Do work on the device; on CUDA in a stream of its own, so that steps go on between its kernels.

        Whatever it reads must have been computed, which reading any number of it makes sure of.
        """
        self._start(self._decoder, lambda: self._in_stream(work), then)

    def on_processor(self, work: Callable[[], _T], then: Callable[[Future[_T]], None]) -> None:
        """Do work that needs no device, or little of it."""
        self._start(self._encoders, work, then)

    def collect(self) -> None:
        """Call what is to be done with everything that has come back."""
        while not self._returned.empty():
            then = self._returned.get()
            self._away -= 1
            then()

    def wait(self) -> None:
        """Until something has come back."""
        then = self._returned.get()
        self._returned.put(then)

    def close(self) -> None:
        """Wait for all that is under way."""
        self._decoder.shutdown(wait=True)
        self._encoders.shutdown(wait=True)

    def _start(self, pool: ThreadPoolExecutor, work: Callable[[], _T], then: Callable[[Future[_T]], None]) -> None:
        self._away += 1
        pool.submit(self._watched, work).add_done_callback(lambda done: self._return(lambda: then(done)))

    def _return(self, then: Callable[[], None]) -> None:
        self._returned.put(then)
        self._wake()

    def _watched(self, work: Callable[[], _T]) -> _T:
        with self._activity.at_work():
            return work()

    def _in_stream(self, work: Callable[[], _T]) -> _T:
        with self._beside_the_steps():
            return work()

    @contextlib.contextmanager
    def _beside_the_steps(self) -> Generator[None]:
        if self._stream is None:
            yield
            return
        with torch.cuda.stream(self._stream):
            yield
        # Its tensors go to other threads, whose streams do not know this one.
        self._stream.synchronize()
