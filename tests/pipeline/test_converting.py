"""What the process that converts pickled weights makes of files; `tests/bot/cli/test_convert.py` starts it."""

import io
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load

from pipeline.converting import convert
from pipeline.engine.pixels.architectures import network_loader
from pipeline.protocol.reading import Converted, ConvertingAnswer, NotConverted


def converted(data: bytes) -> tuple[ConvertingAnswer, bytes]:
    """The answer about a file with these bytes, and what was written."""
    target = io.BytesIO()
    return convert(io.BytesIO(data), target, network_loader()), target.getvalue()


def test_weights_of_no_network_keep_their_names() -> None:
    file = io.BytesIO()
    torch.save({"image_proj": {"a": torch.ones(3)}, "ip_adapter": {"1.b": torch.zeros(2)}}, file)
    answer, written = converted(file.getvalue())
    assert answer == Converted()
    assert set(load(written)) == {"image_proj.a", "ip_adapter.1.b"}


class Hostile:
    """Would make a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._path,))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")  # torch warns of files as old as this kind
def test_a_plain_pickle_runs_nothing(tmp_path: Path) -> None:
    answer, written = converted(pickle.dumps(Hostile(tmp_path / "made")))
    assert isinstance(answer, NotConverted)
    assert "nothing in it was run" in answer.sentence
    assert (written, [*tmp_path.iterdir()]) == (b"", [])


@pytest.mark.parametrize("data", [b"", b"PK\3\4 no archive"])
def test_a_damaged_file_gets_a_sentence(data: bytes) -> None:
    answer, written = converted(data)
    assert isinstance(answer, NotConverted)
    assert "damaged" in answer.sentence
    assert written == b""
