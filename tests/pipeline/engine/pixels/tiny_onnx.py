"""A small ONNX file, written by hand: the package onnx is needed by nothing else.

The numbers of the fields are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

_FLOAT = 1


def save_red(
    path: Path, *, side: int | None = 64, channels: int = 3, bias: float = 0.0, makes_logits: bool = False
) -> None:
    """Save a network whose mask says how red a pixel is: a convolution of 1 x 1, and a sigmoid unless `makes_logits`.

    Args:
        path: the file.
        side: side of its input; None allows any.
        channels: channels of its input.
        bias: added before the sigmoid.
        makes_logits: whether it ends there.
    """
    weight = np.full((1, channels, 1, 1), -2.0, np.float32)
    weight[:, 0] = 4.0
    nodes = [_node("Conv", ["picture", "weight", "bias"], "logits" if not makes_logits else "mask")]
    if not makes_logits:
        nodes.append(_node("Sigmoid", ["logits"], "mask"))
    initializers = [_tensor("weight", weight), _tensor("bias", np.array([bias], np.float32))]
    sides = [("height", side), ("width", side)]
    graph = b"".join(
        [
            *(_bytes(1, node) for node in nodes),
            _bytes(2, b"red"),
            *(_bytes(5, tensor) for tensor in initializers),
            _bytes(11, _value("picture", [("rows", 1), ("channels", channels), *sides])),
            _bytes(12, _value("mask", [("rows", 1), ("one", 1), *sides])),
        ]
    )
    opset = _number(2, 17)
    path.write_bytes(_number(1, 8) + _bytes(7, graph) + _bytes(8, opset))


def _varint(value: int) -> bytes:
    parts: list[int] = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _node(kind: str, inputs: Sequence[str], output: str) -> bytes:
    return b"".join(
        [*(_bytes(1, each.encode()) for each in inputs), _bytes(2, output.encode()), _bytes(4, kind.encode())]
    )


def _tensor(name: str, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    sides = b"".join(_number(1, each) for each in values.shape)
    return sides + _number(2, _FLOAT) + _bytes(8, name.encode()) + _bytes(9, values.tobytes())


def _value(name: str, sides: Sequence[tuple[str, int | None]]) -> bytes:
    shape = b"".join(_bytes(1, _bytes(2, each.encode()) if side is None else _number(1, side)) for each, side in sides)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _number(1, _FLOAT) + _bytes(2, shape)))
