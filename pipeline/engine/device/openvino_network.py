"""A network that OpenVINO runs: traced once for each size, compiled once for each row count.

OpenVINO's `convert_model` sends telemetry to its maker. The front end below it does not, so it is called directly.
"""

import logging
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakSet

import torch
from torch import nn

from pipeline.engine.device.openvino_split import split

log = logging.getLogger(__name__)

MOST_DIFFERENCE: Final = 1e-3
"""Greatest difference between OpenVINO's and torch's first prediction, relative to torch's largest number.

Rounding causes a thousandth of this. A larger difference means a wrong translation.
"""
_TRACED_ROWS: Final = 16
"""Row count of the trace; with it batch-invariant layers need no padding, so the trace is valid for any row count."""
_MOST_KEPT: Final = 16
"""Number of compiled networks to keep, each with a copy of the weights: four row counts in four sizes."""

_CHANGING: Final = ("latents", "timesteps")
"""Names of the inputs that change in each step. What depends on others alone is computed only when they change."""

_Key = tuple[tuple[str, tuple[int, ...]], ...]

_networks: "WeakSet[OpenVinoNetwork]" = WeakSet()
_tracing = threading.Lock()
"""Held while a network is traced: torch's tracer keeps what it traces in a global variable, whatever the thread."""
_opening = threading.Lock()
_opened: list[Any] = []


class OpenVinoNetwork:
    """Callable that gives the same predictions as `forward`, up to rounding.

    Inputs for which the translation fails go to `forward` itself.

    Args:
        module: the network, with its weights on the CPU in float32.
        forward: runs one plain forward pass of it.
        traced_rows: row count of the trace. The trace of `_TRACED_ROWS` serves every row count; that of one row serves
            only one row, and needs no more memory than one.
        most_kept: number of compiled networks to keep.
    """

    def __init__(
        self,
        module: nn.Module,
        forward: Callable[[Mapping[str, torch.Tensor]], torch.Tensor],
        *,
        traced_rows: int = _TRACED_ROWS,
        most_kept: int = _MOST_KEPT,
    ) -> None:
        import openvino  # noqa: PLC0415 - an optional package, and a second of start-up

        self._openvino: Any = openvino
        self._module = module
        self._forward = forward
        self._traced_rows = traced_rows
        self._most_kept = most_kept
        self._requests: OrderedDict[_Key, Any] = OrderedDict()
        self._traced: tuple[_Key, Any, Any] | None = None
        self._using = threading.Lock()
        _networks.add(self)

    @property
    def module(self) -> nn.Module:
        """The network whose weights are compiled."""
        return self._module

    @property
    def copies(self) -> int:
        """Number of compiled networks, each with a copy of the weights."""
        return sum(request is not None for request in [*self._requests.values()])

    def __call__(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Run one forward pass; the prediction is float32 on the CPU. Any thread may call it."""
        with self._using:
            return self._predicted(inputs)

    def _predicted(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        key = tuple((name, tuple(tensor.shape)) for name, tensor in inputs.items())
        if key not in self._requests:
            self._requests[key] = self._request(inputs)
            if len(self._requests) > self._most_kept:
                self._requests.popitem(last=False)
        self._requests.move_to_end(key)
        request = self._requests[key]
        return self._forward(inputs) if request is None else _infer(request, inputs)

    def _request(self, inputs: Mapping[str, torch.Tensor]) -> Any:
        """Compiled network for inputs of these shapes; None when torch must compute them."""
        started = time.monotonic()
        try:
            request = self._compiled(inputs)
            answer = _infer(request, inputs)
        # The translation can fail with any exception. torch can still draw the picture.
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("OpenVINO cannot compute this model, so torch does: %s", error)
            return None
        right = self._forward(inputs)
        difference = ((answer - right).abs().max() / right.abs().max()).item()
        # The condition is negated so that NaN fails too.
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
        steady = {place for place, name in enumerate(inputs) if name not in _CHANGING}
        parts = split(model, steady)
        if parts is None:
            return _Request(compiled_on_processor(model))
        first, second = map(compiled_on_processor, parts)
        return _SplitRequest(first, second, steady)

    def _trace(self, inputs: Mapping[str, torch.Tensor]) -> tuple[Any, Any]:
        """Translated model for these sizes and any row count, and the decoder, whose memory holds the weights."""
        from openvino.frontend import FrontEndManager  # noqa: PLC0415 - an optional package
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder  # noqa: PLC0415 - as above

        rows = self._traced_rows
        with _tracing, torch.inference_mode(mode=False), torch.no_grad(), warnings.catch_warnings():
            # The tracer warns of decisions in Python code. They are the same for equal sizes, and the first
            # prediction is compared with torch's.
            warnings.simplefilter("ignore")
            example = tuple(tensor[:1].repeat(rows, *[1] * (tensor.dim() - 1)) for tensor in inputs.values())
            flat = _Flat(self._module, self._forward, tuple(inputs)).eval()
            traced: Any = torch.jit.trace(flat, example, check_trace=False)
            front_end: Any = FrontEndManager().load_by_framework("pytorch")
            decoder = TorchScriptPythonDecoder(traced, example_input=example)
            return front_end.convert(front_end.load(decoder)), decoder


def compiled_on_processor(model: Any) -> Any:
    """An inference request of a model of OpenVINO, in float32 and with as many threads as torch has."""
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # the bot and other programs use these cores too
    }
    return the_core().compile_model(model, "CPU", options).create_infer_request()


def copies_bytes(modules: Iterable[nn.Module]) -> int:
    """Bytes of the weights that OpenVINO holds beside those of these modules: a copy for each compiled network."""
    wanted = {id(module) for module in modules}
    return sum(
        network.copies * sum(weight.numel() * weight.element_size() for weight in network.module.parameters())
        for network in [*_networks]
        if id(network.module) in wanted
    )


def the_core() -> Any:
    """Single OpenVINO core of this process; it is never released.

    The CPU plugin of a core gives the first compiling thread an alternate signal stack, and frees it when the core is
    released. With a second core in between, the thread would keep a freed stack and crash at its next signal.
    """
    import openvino  # noqa: PLC0415 - as above

    with _opening:
        if not _opened:
            _opened.append(openvino.Core())
        return _opened[0]


class _Flat(nn.Module):
    """Network with positional inputs, as tracing requires."""

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
        """Map inputs of [rows, ...] to predictions [rows, c, h, w]."""
        return self._plain(dict(zip(self._names, tensors, strict=True)))


class _Request:
    """An inference request that reads its inputs from torch's memory, and keeps those that stay the same tensors."""

    def __init__(self, request: Any) -> None:
        import openvino  # noqa: PLC0415 - as above

        self._tensor: Any = openvino.Tensor
        self._request = request
        self._read: dict[int, torch.Tensor] = {}

    def __call__(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        self.run([*inputs.values()])
        # Copied, because the next inference overwrites this memory.
        return torch.from_numpy(self._request.get_output_tensor(0).data.copy())

    def run(self, inputs: Sequence[torch.Tensor]) -> None:
        """Run it for its first inputs."""
        for place, tensor in enumerate(inputs):
            # Hundreds of matrices of LoRAs stay while the same rows are drawn.
            if self._read.get(place) is not tensor:
                contiguous = tensor.contiguous()
                self._request.set_input_tensor(place, self._tensor(contiguous.numpy(), shared_memory=True))
                self._read[place] = contiguous
        self._request.infer()


class _SplitRequest(_Request):
    """A network in two parts: the first runs only when the steady inputs change.

    Args:
        first: request of the part that reads the steady inputs.
        second: request of the part that reads the others, and then the results of the first.
        steady: indexes of the steady inputs.
    """

    def __init__(self, first: Any, second: Any, steady: Collection[int]) -> None:
        super().__init__(second)
        self._first = _Request(first)
        self._steady = steady
        self._known: list[torch.Tensor] = []
        others = len(second.input_tensors) - len(first.output_tensors)
        for place, result in enumerate(first.output_tensors):
            second.set_input_tensor(others + place, result)  # they share this memory from now on

    def __call__(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        steady = [tensor for place, tensor in enumerate(inputs.values()) if place in self._steady]
        # Matrices of LoRAs stay the same objects, and a step's texts are joined anew.
        if not self._known or any(
            old is not new and not old.equal(new) for old, new in zip(self._known, steady, strict=True)
        ):
            self._first.run(steady)
            self._known = steady
        return super().__call__(
            {name: tensor for place, (name, tensor) in enumerate(inputs.items()) if place not in self._steady}
        )


def _infer(request: _Request, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    return request(inputs)
