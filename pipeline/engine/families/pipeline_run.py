"""One call of a diffusers pipeline, run step by step.

A pipeline runs from start to end in one call. Here that call has its own thread, which waits after each step. In
between, the step loop can do other work, show a preview, or stop the call. A step is over when the pipeline's callback
is called. Some pipelines have none, and some draw a first part without it, such as a prior. There, a step is over when
a scheduler has computed the next latents.
"""

import contextlib
import functools
import threading
from collections.abc import Generator, Mapping
from typing import Any, Final

import numpy as np
import torch
from diffusers.schedulers.scheduling_utils import SchedulerMixin

from pipeline.engine.failures import InvalidRequest, ModelUnavailable
from pipeline.protocol.wire.outputs import Notice

_SAID: Final = 300
"""Characters of a pipeline's own sentence about a request that it refuses."""
_MAIN: Final = "scheduler"
"""Name of the scheduler whose steps a pipeline's callback reports."""


class _Closed(BaseException):
    """The run was closed. It derives from BaseException so that no pipeline catches it."""


class PipelineRun:
    """One call of a pipeline, run step by step. One thread calls all public methods.

    Args:
        pipeline: the diffusers pipeline to call.
        arguments: arguments of the call.
        parameters: parameters that the call accepts.
        notices: facts for the requester about ignored parts of the request.

    Attributes:
        notices: facts for the requester.
        steps_done: number of steps that the pipeline has reported.
        latents: latents after the last step, in the pipeline's own layout; None when it reports none.
        pictures: [n, 3, H, W] from 0 to 1, float32; None until the call is done.
    """

    def __init__(
        self, pipeline: Any, arguments: Mapping[str, Any], parameters: Mapping[str, Any], notices: tuple[Notice, ...]
    ) -> None:
        self.notices = notices
        self._name = type(pipeline).__name__
        self.steps_done = 0
        self.latents: torch.Tensor | None = None
        self.pictures: torch.Tensor | None = None
        callbacks = self._callbacks(parameters)
        self._arguments = {**arguments, **callbacks}
        self._has_callback = bool(callbacks)
        self._thread: threading.Thread | None = threading.Thread(
            target=self._call, args=(pipeline,), name="whole-pipeline", daemon=True
        )
        self._is_begun = False
        self._is_closing = False
        self._failure: BaseException | None = None
        self._may_step, self._has_stepped = threading.Semaphore(0), threading.Semaphore(0)

    @property
    def is_over(self) -> bool:
        """True when the run is done, failed or closed, and its thread has ended."""
        return self._thread is None

    def advance(self) -> bool:
        """Run to the end of the next step; after the last step, run to the finished pictures.

        Returns:
            True when there is more to do; False once `pictures` is set, or after `close`.

        Raises:
            InvalidRequest: the pipeline refuses the request before its first step.
            Exception: any exception of the pipeline; the run is then over.
        """
        if self._thread is None:
            return False
        if not self._is_begun:
            self._is_begun = True
            self._thread.start()
        self._may_step.release()
        self._has_stepped.acquire()
        if self._is_running:
            return True
        self._end()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            if isinstance(failure, ValueError) and not self.steps_done:
                said = " ".join(str(failure).split())[:_SAID].rstrip(".")
                raise InvalidRequest(f"A {self._name} refuses this: {said}.") from failure
            raise failure
        return False

    def close(self) -> None:
        """Stop the call at its present step and release its tensors."""
        if self._thread is None:
            return
        self._is_closing = True
        self._may_step.release()
        self._end()
        self._failure = None

    def _end(self) -> None:
        if self._thread is not None and self._is_begun:
            self._thread.join()
        self._thread = None
        self._arguments.clear()
        self.latents = None

    @property
    def _is_running(self) -> bool:
        return self.pictures is None and self._failure is None

    def _call(self, pipeline: Any) -> None:
        try:
            self._wait()
            with torch.inference_mode(), self._waiting_after_schedulers(pipeline):
                self.pictures = _pictures_of(pipeline, pipeline(**self._arguments))
        # The waiting thread raises any exception of this one; none may be lost.
        except BaseException as failure:  # noqa: BLE001
            self._failure = failure
        finally:
            self._has_stepped.release()

    def _callbacks(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Callback arguments that make the call wait after each step; older pipelines use another name."""
        if "callback_on_step_end" in parameters:
            return {"callback_on_step_end": self._after_step}
        if "callback" in parameters:
            return {"callback": self._after_old_step, "callback_steps": 1}
        return {}

    def _after_step(self, pipeline: Any, step: int, timestep: Any, given: dict[str, Any]) -> dict[str, Any]:
        del pipeline, timestep
        self._pause(step + 1, given.get("latents"))
        return given

    def _after_old_step(self, step: int, timestep: Any, latents: torch.Tensor) -> None:
        del timestep
        self._pause(step + 1, latents)

    @contextlib.contextmanager
    def _waiting_after_schedulers(self, pipeline: Any) -> Generator[None]:
        """Wait after each step of the schedulers that no callback reports."""
        found = {name: part for name, part in pipeline.components.items() if isinstance(part, SchedulerMixin)}
        if self._has_callback:
            found.pop(_MAIN, None)
        try:
            for name, part in found.items():
                self._wait_after(part, is_counted=name == _MAIN)
            yield
        finally:
            for part in found.values():
                vars(part).pop("step", None)

    def _wait_after(self, scheduler: Any, *, is_counted: bool) -> None:
        own: Any = scheduler.step

        # Pipelines ask for the parameters of this method, so it must look like the scheduler's own.
        @functools.wraps(own)
        def step(*given: Any, **named: Any) -> Any:
            answer = own(*given, **named)
            latents = answer[0] if isinstance(answer, tuple) else answer.prev_sample
            if is_counted:
                self._pause(self.steps_done + 1, latents)
            else:
                self._pause(self.steps_done, None)
            return answer

        scheduler.step = step

    def _pause(self, steps_done: int, latents: torch.Tensor | None) -> None:
        self.steps_done, self.latents = steps_done, latents
        self._has_stepped.release()
        self._wait()

    def _wait(self) -> None:
        self._may_step.acquire()
        if self._is_closing:
            raise _Closed


def _pictures_of(pipeline: Any, answer: Any) -> torch.Tensor:
    """Pictures [n, 3, H, W] of an answer with `output_type="np"`, whose first field holds them [n, H, W, 3].

    With "pt", some pipelines answer from -1 to 1 (DeepFloyd IF, Kandinsky 2 and 3).
    """
    images: Any = answer[0] if isinstance(answer, tuple) else next(iter(answer.values()), None)
    if isinstance(images, list):
        images = np.stack(images)
    if not isinstance(images, np.ndarray) or images.ndim != 4 or images.shape[-1] != 3:  # noqa: PLR2004 - [n, H, W, 3]
        raise ModelUnavailable(f"A {type(pipeline).__name__} hands out no pictures that Easel can read.")
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().clamp(0, 1).contiguous()
