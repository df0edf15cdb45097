"""A forward pass of eight rows, four of which a ControlNet steers, against its parts.

The parts are eight rows of the U-Net and four of the net. The U-Net is that of the shipped model, and the ControlNet
has its layers with random weights. Both sides run the same row counts of the same networks. So the ratio shows what it
costs to choose rows, scale residuals, and add them up. The hint is computed once a job; the report has its time beside
that of one row of the net.

The sides are compared by the CPU time of all threads, which other work on the machine does not change.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is imported below; the worker does the same

import torch
from diffusers.models.controlnets.controlnet import ControlNetModel

from benchmarks.bench import THREADS, request
from benchmarks.report import Report
from config.areas.pipeline import PipelineSettings
from config.catalogue import load_catalogue
from pipeline.engine.control.nets import ControlModule, ControlNet
from pipeline.engine.control.rows import NetControl
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement, use_threads
from pipeline.engine.families.base import StepAdapter
from pipeline.engine.models.loading import load_model, quiet_libraries
from pipeline.engine.steps.batching.control_forwards import ControlForwards
from pipeline.engine.steps.batching.shapes import ShapeBook, Shapes
from pipeline.engine.steps.jobs.rows import Row, predict_rows

GOAL: Final = 1.05
ROWS: Final = 8
STEERED: Final = 4
SIDES: Final = (64, 256)
PAIRS: Final = 11


class _Scene:
    """Eight rows of one picture size, with and without control."""

    def __init__(self, adapter: StepAdapter, net: ControlNet, book: ShapeBook, side: int) -> None:
        torch.manual_seed(side)
        text = adapter.encode_text(request()).positive.at(1)
        pixels = torch.rand(1, 3, side, side)
        self.hint_ms = _ms(lambda: net.hint(pixels))
        control = NetControl(net=net, hint=net.hint(pixels), scales=net.scales(1.0, is_guess=False))
        shape = (1, adapter.latent_channels, side // adapter.scale_factor, side // adapter.scale_factor)
        self._adapter, self._net = adapter, net
        self._plain = [
            Row(latents=torch.randn(shape), timestep=torch.tensor(500.0), conditioning=text) for _ in range(ROWS)
        ]
        self._mixed = [
            Row(latents=row.latents, timestep=row.timestep, conditioning=text, controls=(control,) * (place < STEERED))
            for place, row in enumerate(self._plain)
        ]
        self._net_rows = [
            Row(latents=row.latents, timestep=row.timestep, conditioning=net.conditioning(text, control.hint))
            for row in self._plain[:STEERED]
        ]
        self._unet_shapes = book.shapes("pocket", adapter, self._plain[0])
        self._net_shapes = book.shapes(net.key, net, self._net_rows[0])

    def together(self, forwards: ControlForwards) -> None:
        """One forward pass with four rows that are steered."""
        count, layers = _fitting(self._unet_shapes, ROWS)
        predict_rows(self._adapter, self._mixed, count, layers, forwards.residuals(self._mixed, count))

    def apart(self) -> None:
        """The same rows of both networks, without anything between them."""
        predict_rows(self._adapter, self._plain, *_fitting(self._unet_shapes, ROWS))
        self.net_alone()

    def net_alone(self) -> None:
        """The rows of the net."""
        predict_rows(self._net, self._net_rows, *_fitting(self._net_shapes, STEERED))


def _fitting(shapes: Shapes, rows: int) -> tuple[int, list[str]]:
    count = shapes.fitting(rows)
    return count, shapes.per_row_layers.get(count, [])


def run() -> Report:
    """Measure pairs of every size in turn."""
    quiet_libraries()
    use_threads(THREADS)
    placement = choose_placement("cpu", "float32")
    spec = load_catalogue(PipelineSettings().catalogue, "pocket").default
    adapter = load_model(spec, placement, None, lambda: None).adapter
    unet: Any = adapter.network
    module: Any = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(16, 32, 96))
    net = ControlNet(ControlModule(module.eval().requires_grad_(requires_grad=False), placement), key="net")
    with tempfile.TemporaryDirectory() as folder:
        book = ShapeBook(placement, "flexible", str(Path(folder)))
        scenes = {side: _Scene(adapter, net, book, side) for side in SIDES}
        forwards = ControlForwards(book, placement, Activity())
        ratios: dict[int, list[float]] = {side: [] for side in SIDES}
        net_ms: dict[int, list[float]] = {side: [] for side in SIDES}
        for pair in range(PAIRS + 1):
            for side, scene in scenes.items():
                together, apart = _ms(lambda scene=scene: scene.together(forwards)), _ms(scene.apart)
                if pair > 0:  # the first pair warms up the caches
                    ratios[side].append(together / apart)
                    net_ms[side].append(_ms(scene.net_alone) / STEERED)
    medians = {side: statistics.median(found) for side, found in ratios.items()}
    value = max(medians.values())
    return Report(
        name="control",
        goal=f"{ROWS} rows with {STEERED} steered / the sum of their parts <= {GOAL}",
        value=value,
        holds=value <= GOAL,
        median=value,
        minimum=min(min(found) for found in ratios.values()),
        pairs=PAIRS,
        detail={
            **{f"median_{side}_px": medians[side] for side in SIDES},
            **{f"net_row_{side}_px_ms": statistics.median(net_ms[side]) for side in SIDES},
            **{f"hint_{side}_px_ms": scenes[side].hint_ms for side in SIDES},
        },
    )


def _ms(work: Callable[[], object]) -> float:
    """CPU milliseconds of all threads."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000
