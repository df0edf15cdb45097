"""A network that OpenVINO computes: traced once for each size, compiled once for each number of rows.

OpenVINO's own `convert_model` reports its use to its maker. The front end below it does not, so that is what is called.
"""

import functools
import logging
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import nn

log = logging.getLogger(__name__)

MOST_DIFFERENCE: Final = 1e-3
"""Between the first answer and torch's, against the largest of its numbers. Rounding makes a thousandth of that; what
differs by more was translated wrongly."""
_TRACED_ROWS: Final = 16
"""With so many, steady linear layers are plain ones, so that the trace holds for any number."""
_MOST_KEPT: Final = 16
"""Compiled networks, each with a copy of the weights: four numbers of rows in four sizes."""

_Key = tuple[tuple[str, tuple[int, ...]], ...]


class OpenVinoNetwork:
    """Answers as `forward` does, within rounding; what cannot be translated is left to `forward`.

    Args:
        module: the network; its weights are on the CPU in float32.
        forward: one plain forward of it.
    """

    def __init__(self, module: nn.Module, forward: Callable[[Mapping[str, torch.Tensor]], torch.Tensor]) -> None:
        import openvino  # noqa: PLC0415 - an optional package, and a second of start-up

        self._openvino: Any = openvino
        self._core = _core()
        self._module = module
        self._forward = forward
        self._requests: OrderedDict[_Key, Any] = OrderedDict()
        self._traced: tuple[_Key, Any, Any] | None = None

    def __call__(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """One forward, float32 on the CPU."""
        key = tuple((name, tuple(tensor.shape)) for name, tensor in inputs.items())
        if key not in self._requests:
            self._requests[key] = self._request(inputs)
            if len(self._requests) > _MOST_KEPT:
                self._requests.popitem(last=False)
        self._requests.move_to_end(key)
        request = self._requests[key]
        return self._forward(inputs) if request is None else _infer(request, inputs)

    def _request(self, inputs: Mapping[str, torch.Tensor]) -> Any:
        """A network for inputs of these shapes; None where torch must do it."""
        started = time.monotonic()
        try:
            request = self._compiled(inputs)
            answer = _infer(request, inputs)
        # Translators raise anything over what they do not know; the picture can be drawn all the same.
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("OpenVINO cannot compute this model, so torch does: %s", error)
            return None
        right = self._forward(inputs)
        difference = ((answer - right).abs().max() / right.abs().max()).item()
        # written so that NaN fails as well
        if not difference <= MOST_DIFFERENCE:
            log.warning("OpenVINO's answer is %.1g beside torch's, so torch computes this model.", difference)
            return None
        log.info("OpenVINO has %d rows ready after %.1f s.", len(answer), time.monotonic() - started)
        return request

    def _compiled(self, inputs: Mapping[str, torch.Tensor]) -> Any:
        sizes = tuple((name, tuple(tensor.shape[1:])) for name, tensor in inputs.items())
        if self._traced is None or self._traced[0] != sizes:
            self._traced = sizes, *self._trace(inputs)
        model = self._traced[1].clone()
        for parameter, tensor in zip(model.inputs, inputs.values(), strict=True):
            parameter.get_node().set_partial_shape(self._openvino.PartialShape([*tensor.shape]))
        model.validate_nodes_and_infer_types()
        options = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # the bot and other programs use these cores too
        }
        return self._core.compile_model(model, "CPU", options).create_infer_request()

    def _trace(self, inputs: Mapping[str, torch.Tensor]) -> tuple[Any, Any]:
        """The model for these sizes and any rows, and the decoder, in whose memory its weights are."""
        from openvino.frontend import FrontEndManager  # noqa: PLC0415 - an optional package
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder  # noqa: PLC0415 - as above

        with torch.inference_mode(mode=False), torch.no_grad(), warnings.catch_warnings():
            # Whatever Python decided while it was traced holds for these sizes, and the first answer is compared.
            warnings.simplefilter("ignore")
            example = tuple(tensor[:1].repeat(_TRACED_ROWS, *[1] * (tensor.dim() - 1)) for tensor in inputs.values())
            flat = _Flat(self._module, self._forward, tuple(inputs)).eval()
            traced: Any = torch.jit.trace(flat, example, check_trace=False)
            front_end: Any = FrontEndManager().load_by_framework("pytorch")
            decoder = TorchScriptPythonDecoder(traced, example_input=example)
            return front_end.convert(front_end.load(decoder)), decoder


@functools.cache
def _core() -> Any:
    """The only one of this process, which is never let go.

    Its processor plugin gives the thread that compiles first a stack for signals, and takes it away when it goes.
    With a second one in between, the thread is left with a stack that is gone, and dies of its next signal.
    """
    import openvino  # noqa: PLC0415 - as above

    return openvino.Core()


class _Flat(nn.Module):
    """The network with its inputs in a row, as tracing wants them."""

    def __init__(
        self,
        module: nn.Module,
        forward: Callable[[Mapping[str, torch.Tensor]], torch.Tensor],
        names: tuple[str, ...],
    ) -> None:
        super().__init__()
        self.module = module
        self._plain = forward
        self._names = names

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        """Each [rows, ...] to [rows, c, h, w]."""
        return self._plain(dict(zip(self._names, tensors, strict=True)))


def _infer(request: Any, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    arrays = [tensor.contiguous().numpy() for tensor in inputs.values()]
    request.infer(arrays, share_inputs=True)
    # A copy: the request writes its next answer to the same place.
    return torch.from_numpy(request.get_output_tensor(0).data.copy())
