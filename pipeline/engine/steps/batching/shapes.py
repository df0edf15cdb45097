"""Row counts of forward passes, measured on the device once for each model and size.

A row's prediction has the same bits in every forward pass of the same shape, whatever the other rows are. Another shape
gives mostly, but not always, the same bits. So each shape is tried, and shapes whose bits agree form a class. Only one
class is used. Then a picture does not depend on other jobs, and a single job need not compute a full batch.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import torch

from pipeline.engine.device.per_row_layers import order_dependent_layers
from pipeline.engine.device.placement import Placement, accelerator_version, release_memory, work_clock
from pipeline.engine.device.state_file import StateFile, key_of
from pipeline.engine.failures import reason_of
from pipeline.engine.loras.rows import structure_of
from pipeline.engine.steps.jobs.rows import Row, RowNetwork, predict_rows
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.wire.settings import Batching

log = logging.getLogger(__name__)

ROW_COUNTS: Final = (2, 4, 8, 16)
LEAST_GAIN: Final = 1.05
"""Least ratio of rows per second between a row count and the next smaller one; below it the larger is not used."""
LONGEST_FORWARD_S: Final = 1.0
"""Greatest expected seconds of a forward pass, because cancels and new jobs wait for its end."""
WORTH_WAITING: Final = 1.25
"""Least ratio of rows per second at which a class of larger shapes is preferred to one with a smaller shape.

A single job must fill up the smallest shape of its class with copies of a row, so larger shapes must pay for that.
"""
_TIMED: Final = 3


class Shapes(msgspec.Struct, frozen=True):
    """Row counts for one bucket.

    Attributes:
        seconds: duration of one forward pass, by row count in ascending order.
        per_row_layers: names of layers that compute one row at a time, by row count.
    """

    seconds: dict[int, float]
    # Files that were written before have the name `one_by_one`; their layers must not be forgotten.
    per_row_layers: dict[int, list[str]] = msgspec.field(default_factory=dict, name="one_by_one")

    @property
    def most(self) -> int:
        """Row count of the largest forward pass."""
        return max(self.seconds)

    def fitting(self, rows: int) -> int:
        """Smallest row count that is at least `rows`; the largest one when all are smaller."""
        return min((count for count in self.seconds if count >= rows), default=self.most)

    def below(self, count: int) -> "Shapes | None":
        """Shapes with fewer rows than `count`; None when there is none."""
        return self.only([known for known in self.seconds if known < count])

    def only(self, counts: Sequence[int]) -> "Shapes | None":
        """Shapes with these row counts, all of which must be known; None when `counts` is empty."""
        if not counts:
            return None
        return Shapes(
            {count: self.seconds[count] for count in counts},
            {count: names for count, names in self.per_row_layers.items() if count in counts},
        )


class ShapeBook:
    """Measured shapes, kept on disk.

    Args:
        placement: device and precision.
        batching: `pinned` uses only shapes whose predictions agree bit by bit; `flexible` uses every shape that is
            fast enough.
        directory: folder of `shapes.json`; None keeps nothing on disk.
    """

    def __init__(self, placement: Placement, batching: Batching, directory: str | None) -> None:
        self._placement = placement
        self._batching: Batching = batching
        self._known = StateFile(directory, "shapes.json", Shapes)

    def shapes(self, model_key: str, adapter: RowNetwork, example: Row) -> Shapes:
        """Shapes for rows with the tensor shapes and the references of `example`; they are measured if unknown.

        Raises:
            torch.OutOfMemoryError: not even the smallest forward pass fits the device.
        """
        key = self._key(model_key, example)
        known = self._known.get(key)
        if known is not None:
            return known
        started = time.monotonic()
        learnt = measure(_Trial(adapter, example, self._placement), self._batching)
        self._known.put(key, learnt)
        log.info(
            "Forwards of %s at %s have %s rows; learnt in %.1f s.",
            model_key,
            "x".join(map(str, example.latents.shape[2:])),
            ", ".join(map(str, learnt.seconds)),
            time.monotonic() - started,
        )
        return learnt

    def forget_from(self, model_key: str, example: Row, count: int) -> Shapes | None:
        """Forget row counts from `count` up, because they do not fit the memory; None when no smaller one is known."""
        key = self._key(model_key, example)
        known = self._known.get(key)
        left = None if known is None else known.below(count)
        if left is not None:
            self._known.put(key, left)
        return left

    def _key(self, model_key: str, example: Row) -> str:
        return key_of(
            self._placement,
            batching=self._batching,
            acceleration=_way_of(self._placement),
            model=model_key,
            latents=[*example.latents.shape],
            text={name: [*tensor.shape] for name, tensor in sorted(example.conditioning.items())},
            # Rows with references that stand apart are computed without the accelerator, and those with LoRAs by
            # another network. Other keys stay as they were.
            **({} if example.references is None else {"has_references": True}),
            **({} if example.lora is None else {"loras": sorted(structure_of(example.lora))}),
        )


def _way_of(placement: Placement) -> dict[str, object]:
    """What computes forward passes. The usual attention is left out, so that older measurements stay known."""
    way = msgspec.structs.asdict(placement.acceleration) | accelerator_version(placement)
    return {name: value for name, value in way.items() if (name, value) != ("attention", "native")}


class _Trial:
    """Trial forward passes over different rows with the tensor shapes of a real row."""

    def __init__(self, adapter: RowNetwork, example: Row, placement: Placement) -> None:
        self._adapter = adapter
        self._placement = placement
        self.per_row_layers: dict[int, list[str]] = {}
        generator = torch.Generator("cpu").manual_seed(0)

        def noisy(tensor: torch.Tensor, amount: float) -> torch.Tensor:
            if not tensor.is_floating_point():
                return tensor
            noise = torch.randn(tensor.shape, generator=generator, dtype=torch.float32).to(tensor)
            return tensor * (1 - amount) + noise * amount

        self._rows = [
            Row(
                latents=noisy(example.latents, 1.0),
                timestep=torch.tensor(float(50 + 37 * number)),
                conditioning={name: noisy(tensor, 0.1) for name, tensor in example.conditioning.items()},
                lora=example.lora,
                references=example.references,
            )
            for number in range(max(ROW_COUNTS))
        ]

    def __call__(self, count: int, *, is_reversed: bool = False) -> torch.Tensor:
        """Predictions of the first `count` rows, [count, c, h, w] on the CPU; the order of the input does not show."""
        rows = self._rows[:count]
        in_order = rows[::-1] if is_reversed else rows
        predictions = predict_rows(self._adapter, in_order, count, self.per_row_layers.get(count, ()))
        return torch.cat(predictions[::-1] if is_reversed else predictions).cpu()

    def order_dependent_layers(self, count: int) -> list[str]:
        """Names of layers whose output for `count` rows depends on the order of the rows."""
        return order_dependent_layers(
            self._adapter.network, lambda is_reversed: self(count, is_reversed=is_reversed), rows=count
        )

    def timed(self, count: int) -> float:
        """Seconds of one forward pass."""
        clock = work_clock(self._placement.device)
        started = clock()
        self(count)
        return clock() - started

    def release(self) -> None:
        """Free unused device memory."""
        release_memory(self._placement.device)


def measure(trial: _Trial, batching: Batching) -> Shapes:
    """Try larger and larger forward passes until the gain is too small.

    Raises:
        torch.OutOfMemoryError: not even the smallest forward pass fits the device.
    """
    seconds: dict[int, float] = {}
    classes: list[dict[int, torch.Tensor]] = []
    for count in ROW_COUNTS:
        last = max(seconds, default=0)
        if seconds and seconds[last] * count / last > LONGEST_FORWARD_S:
            break
        try:
            prediction = _batch_invariant_prediction(trial, count)
            seconds[count] = min(trial.timed(count) for _ in range(_TIMED))
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not seconds or reason_of(error) is not FailureReason.OUT_OF_MEMORY:
                raise
            break
        if seconds and last and count / seconds[count] < LEAST_GAIN * last / seconds[last]:
            del seconds[count]
            break
        if prediction is not None:
            _classify(classes, count, prediction)
    trial.release()
    known = Shapes(seconds, {count: names for count, names in trial.per_row_layers.items() if count in seconds})
    return known if batching == "flexible" else _pinned(classes, known)


def _batch_invariant_prediction(trial: _Trial, count: int) -> torch.Tensor | None:
    """Predictions of a forward pass that do not depend on the order of its rows; None when no layer explains it.

    As few layers as possible compute one row at a time. A layer after an order-dependent one already gets differing
    inputs. So each round finds only the first order-dependent layers.
    """
    while True:
        prediction = trial(count)
        if trial(count, is_reversed=True).equal(prediction):
            return prediction
        known = trial.per_row_layers.get(count, [])
        found = [name for name in trial.order_dependent_layers(count) if name not in known]
        if not found:
            trial.per_row_layers.pop(count, None)
            return None
        trial.per_row_layers[count] = known + found


def _pinned(classes: list[dict[int, torch.Tensor]], known: Shapes) -> Shapes:
    """Shapes of the best class; all shapes when every one depends on the order of its rows."""
    if not classes:
        log.warning(
            "This device gives a row other last bits in another place: a seed repeats its picture nearly, not exactly."
        )
        return known
    best = classes[0]
    for alike in classes[1:]:
        if _rows_per_second(alike, known.seconds) > WORTH_WAITING * _rows_per_second(best, known.seconds):
            best = alike
    return known.only([*best]) or known


def _rows_per_second(alike: Mapping[int, torch.Tensor], seconds: Mapping[int, float]) -> float:
    """Rows per second of the fastest shape in a class."""
    return max(count / seconds[count] for count in alike)


def _classify(classes: list[dict[int, torch.Tensor]], count: int, prediction: torch.Tensor) -> None:
    """Add a shape to the class that gives its first rows the same bits, or to a new class."""
    for alike in classes:
        smaller, known = next(iter(alike.items()))
        if prediction[:smaller].equal(known):
            alike[count] = prediction
            return
    classes.append({count: prediction})
