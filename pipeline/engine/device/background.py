"""Background work of the step loop: decoding, enlarging, encoding, previews. Results return to the loop's thread."""

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
    """Two thread pools: one thread for work on the device, and several for work on the CPU.

    The loop's thread calls all methods, and also the `then` functions. Only `work` runs in the pools.

    Args:
        placement: the device.
        wake: called from any thread when work is done.
        activity: receives which threads are working.
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
        """True when `collect` has something to do."""
        return not self._returned.empty()

    @property
    def is_busy(self) -> bool:
        """True while work is running or waits for `collect`."""
        return self._away > 0

    def on_device(self, work: Callable[[], _T], then: Callable[[Future[_T]], None]) -> None:
        """Run work on the device; on CUDA it has its own stream, so that steps run between its kernels.

        The tensors that it reads must be fully computed. Reading any number of a tensor on the host ensures that.
        """
        self._start(self._decoder, lambda: self._in_stream(work), then)

    def on_processor(self, work: Callable[[], _T], then: Callable[[Future[_T]], None]) -> None:
        """Run work that needs the device little or not at all."""
        self._start(self._encoders, work, then)

    def collect(self) -> None:
        """Call the `then` function of all work that is done."""
        while not self._returned.empty():
            then = self._returned.get()
            self._away -= 1
            then()

    def wait(self) -> None:
        """Block until some work is done."""
        then = self._returned.get()
        self._returned.put(then)

    def close(self) -> None:
        """Wait for all running work."""
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
        # Other threads read the tensors in other streams, which do not wait for this one.
        self._stream.synchronize()
