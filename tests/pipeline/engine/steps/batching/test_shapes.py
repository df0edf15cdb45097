"""Which forwards are used on a device, by what trying them out shows."""

import logging
from collections.abc import Callable

import msgspec
import pytest
import torch

from pipeline.engine.steps.batching.shapes import Shapes, _Trial, measure


class Device(_Trial):
    """Answers as a device would whose rows differ by the forward's row count, and by place where it is unsteady."""

    def __init__(
        self,
        seconds: dict[int, float],
        kernel_of: Callable[[int], float],
        *,
        is_invariant: bool = True,
        most: int = 16,
    ) -> None:
        self._seconds, self._kernel_of, self._is_invariant, self._most = (
            seconds,
            kernel_of,
            is_invariant,
            most,
        )
        self.per_row_layers = {}

    def __call__(self, count: int, *, is_reversed: bool = False) -> torch.Tensor:
        if count > self._most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        places = torch.zeros(count) if self._is_invariant or not is_reversed else torch.arange(count)
        return torch.arange(count) + self._kernel_of(count) + places

    def order_dependent_layers(self, count: int) -> list[str]:
        del count
        return []

    def timed(self, count: int) -> float:
        return self._seconds[count]

    def release(self) -> None:
        pass


CHEAP = {2: 0.1, 4: 0.12, 8: 0.15, 16: 0.2}


def same(_: int) -> float:
    return 0.0


def own(count: int) -> float:
    return count / 100


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (Device(CHEAP, same), (2, 4, 8, 16)),
        (Device({2: 0.1, 4: 0.15, 8: 0.29, 16: 1.0}, same), (2, 4)),
        (Device({2: 0.4, 4: 0.6, 8: 0.9, 16: 1.0}, same), (2, 4)),
        (Device(CHEAP, same, most=4), (2, 4)),
        (Device(CHEAP, own), (16,)),
        (Device({2: 0.1, 4: 0.19, 8: 0.36, 16: 0.7}, own), (2,)),
        (Device(CHEAP, lambda count: float(count < 4)), (4, 8, 16)),
    ],
    ids=["all", "no gain", "too long", "full", "large alone", "too little for a lone job", "two classes"],
)
def test_shapes_that_agree_are_used_as_far_as_they_pay(device: Device, expected: tuple[int, ...]) -> None:
    assert tuple(measure(device, "pinned").seconds) == expected


def test_flexible_takes_all_that_pay() -> None:
    assert tuple(measure(Device(CHEAP, own), "flexible").seconds) == (2, 4, 8, 16)


def test_a_device_that_never_agrees_is_used_and_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert tuple(measure(Device(CHEAP, same, is_invariant=False), "pinned").seconds) == (2, 4, 8, 16)
    assert "nearly, not exactly" in caplog.text


def test_not_even_the_smallest_fits() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        measure(Device(CHEAP, same, most=1), "pinned")


def test_a_forward_is_as_small_as_its_rows_allow() -> None:
    shapes = Shapes({2: 0.1, 4: 0.2, 8: 0.3})
    assert [shapes.fitting(rows) for rows in (1, 2, 3, 8, 30)] == [2, 2, 4, 8, 8]
    assert shapes.below(8) == Shapes({2: 0.1, 4: 0.2})
    assert shapes.below(2) is None
    assert Shapes({2: 0.1, 4: 0.2}, {2: ["conv"], 4: ["conv"]}).below(4) == Shapes({2: 0.1}, {2: ["conv"]})


def test_a_file_of_an_older_easel_keeps_its_layers() -> None:
    old = msgspec.json.decode(b'{"seconds": {"2": 0.1}, "one_by_one": {"2": ["conv_in"]}}', type=Shapes)
    assert old.per_row_layers == {2: ["conv_in"]}
