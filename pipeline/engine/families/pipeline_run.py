"""One call of a diffusers pipeline, run step by step.

A pipeline runs from start to end in one call. Here that call has its own thread, which waits after each step. In
between, the step loop can do other work, show a preview, or stop the call.
"""

import threading
from collections.abc import Mapping
from typing import Any

import torch

from pipeline.engine.failures import ModelUnavailable
from pipeline.protocol.wire.outputs import Notice


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
        self.steps_done = 0
        self.latents: torch.Tensor | None = None
        self.pictures: torch.Tensor | None = None
        self._arguments = {**arguments, **self._callbacks(parameters)}
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
            with torch.inference_mode():
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
        self._pause(step, given.get("latents"))
        return given

    def _after_old_step(self, step: int, timestep: Any, latents: torch.Tensor) -> None:
        del timestep
        self._pause(step, latents)

    def _pause(self, step: int, latents: torch.Tensor | None) -> None:
        self.steps_done, self.latents = step + 1, latents
        self._has_stepped.release()
        self._wait()

    def _wait(self) -> None:
        self._may_step.acquire()
        if self._is_closing:
            raise _Closed


def _pictures_of(pipeline: Any, answer: Any) -> torch.Tensor:
    images: Any = getattr(answer, "images", None)
    if not isinstance(images, torch.Tensor):
        raise ModelUnavailable(f"A {type(pipeline).__name__} hands out no pictures that Easel can read.")
    return images.float().clamp(0, 1)
