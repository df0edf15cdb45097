"""Forward passes of ControlNets, which run before the forward pass of the U-Net that they steer.

A ControlNet is a network of its own, whose rows get other last bits in forward passes of other row counts. So its row
counts are measured and pinned as a model's are, for each net, size and text length.
"""

import logging
from collections.abc import Iterator, Sequence

import torch

from pipeline.engine.control.nets import ControlNet
from pipeline.engine.control.rows import NetControl, Residuals, net_controls, summed
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import Placement, release_memory
from pipeline.engine.failures import drop_tracebacks, reason_of
from pipeline.engine.steps.batching.shapes import ShapeBook
from pipeline.engine.steps.jobs.rows import NO_RESIDUALS, Row, predict_rows
from pipeline.protocol.errors import FailureReason

log = logging.getLogger(__name__)


class ControlForwards:
    """Runs the control nets of rows.

    Args:
        shapes: measured row counts; those that do not fit the device are removed from it.
        placement: the device.
        activity: told when the row counts of a net are known, because measuring them takes time.
    """

    def __init__(self, shapes: ShapeBook, placement: Placement, activity: Activity) -> None:
        self._shapes = shapes
        self._placement = placement
        self._activity = activity

    @torch.inference_mode()
    def residuals(self, rows: Sequence[Row], count: int) -> Residuals:
        """Run every control net once over the rows that it steers, and add up its residuals for each row.

        Args:
            rows: rows of the U-Net's next forward pass.
            count: row count of that forward pass.

        Raises:
            torch.OutOfMemoryError: a net has no room for its smallest forward pass.
        """
        if not any(row.controls for row in rows):
            return NO_RESIDUALS
        steered: dict[ControlNet, list[Row]] = {}
        for row in rows:
            for control in net_controls(row.controls):
                steered.setdefault(control.net, []).append(_net_row(row, control))
        predictions = {net: self._predictions(net, of_net) for net, of_net in steered.items()}
        answers = [
            [
                control.net.residuals(next(predictions[control.net]), row.latents)
                for control in net_controls(row.controls)
            ]
            for row in rows
        ]
        return summed([row.controls for row in rows], answers, count)

    def _predictions(self, net: ControlNet, rows: Sequence[Row]) -> Iterator[torch.Tensor]:
        """Predictions [1, numbers] of one net, one for each row."""
        shapes = self._shapes.shapes(net.key, net, rows[0])
        self._activity.note_progress()
        predictions: list[torch.Tensor] = []
        while left := rows[len(predictions) :]:
            count = shapes.fitting(len(left))
            try:
                predictions += predict_rows(net, left[:count], count, shapes.per_row_layers.get(count, ()))
                continue
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if reason_of(error) is not FailureReason.OUT_OF_MEMORY:
                    raise
                smaller = self._shapes.forget_from(net.key, rows[0], count)
                if smaller is None:
                    raise
                drop_tracebacks(error)
            log.warning("The device has no room for %d rows of %s; its forwards are smaller now.", count, net.key)
            release_memory(self._placement.device)
            shapes = smaller
        return iter(predictions)


def _net_row(row: Row, control: NetControl) -> Row:
    """Row of a ControlNet for a row of the U-Net; further channels of an inpainting model are not for it."""
    return Row(
        latents=row.latents[:, : control.net.config.in_channels],
        timestep=row.timestep,
        conditioning=control.net.conditioning(row.conditioning, control.hint),
    )
