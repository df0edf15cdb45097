"""Forward passes of buckets, and recovery when one fails."""

import gc
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from pipeline.engine.device.placement import Placement, release_memory
from pipeline.engine.failures import detail_of, drop_tracebacks, reason_of
from pipeline.engine.steps.batching.buckets import Bucket, Share
from pipeline.engine.steps.batching.control_forwards import ControlForwards
from pipeline.engine.steps.batching.shapes import ShapeBook
from pipeline.engine.steps.jobs.rows import predict_rows
from pipeline.protocol.errors import FailureReason

log = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class Outcome:
    """Result of one forward pass.

    Attributes:
        shares: the jobs and their rows.
        predictions: [1, c, h, w] for each row of every share, in order; empty on failure.
        failure: the exception that fails all these jobs; None on success.
    """

    shares: Sequence[Share]
    predictions: Sequence[torch.Tensor] = ()
    failure: Exception | None = None

    def parts(self) -> Iterator[tuple[Share, Sequence[torch.Tensor]]]:
        """Each share with the predictions of its rows."""
        left = self.predictions
        for share in self.shares:
            yield share, left[: len(share.rows)]
            left = left[len(share.rows) :]


class Forwards:
    """Runs forward passes.

    Args:
        shapes: measured row counts; sizes that do not fit the device are removed from it.
        controls: runs the control nets of the rows.
        placement: the device.
    """

    def __init__(self, shapes: ShapeBook, controls: ControlForwards, placement: Placement) -> None:
        self._shapes = shapes
        self._controls = controls
        self._placement = placement

    def draw(self, bucket: Bucket, shares: Sequence[Share]) -> list[Outcome]:
        """Run one forward pass for these rows.

        If it fails for several jobs, each job is tried again alone. Then only the job that causes the failure fails.
        If the device is out of memory, the bucket gets smaller forward passes and the result is empty. Then a later
        tick runs the rows again. If the device is broken, all these jobs fail.
        """
        rows = [row for share in shares for row in share.rows]
        count = bucket.shapes.fitting(len(rows))
        try:
            residuals = self._controls.residuals(rows, count)
            layers = bucket.shapes.per_row_layers.get(count, ())
            predictions = predict_rows(bucket.model.adapter, rows, count, layers, residuals)
        # Any exception is a failure of some job here: it must not end the others.
        except Exception as error:  # noqa: BLE001 - see above
            failure = error
        else:
            return [Outcome(shares=shares, predictions=predictions)]
        # Called outside the handler, because the handled exception keeps the tensors of the failed forward pass alive.
        return self._recover(bucket, shares, failure)

    def release(self) -> None:
        """Free unused device memory."""
        gc.collect()
        release_memory(self._placement.device)

    def _recover(self, bucket: Bucket, shares: Sequence[Share], failure: Exception) -> list[Outcome]:
        reason = reason_of(failure)
        if reason is FailureReason.OUT_OF_MEMORY and self._has_shrunk(bucket, shares, failure):
            return []
        if reason is FailureReason.DEVICE_ERROR or len(shares) == 1:
            return [Outcome(shares=shares, failure=failure)]
        names = [share.job.name for share in shares]
        log.warning("A forward for jobs %s failed and is done for each alone: %s", names, detail_of(failure))
        return [outcome for share in shares for outcome in self.draw(bucket, [share])]

    def _has_shrunk(self, bucket: Bucket, shares: Sequence[Share], failure: Exception) -> bool:
        """Use smaller forward passes from now on; False when there is no smaller one."""
        count = bucket.shapes.fitting(sum(len(share.rows) for share in shares))
        drop_tracebacks(failure)
        bucket.model.adapter.release()
        self.release()
        if any(row.has_additions for share in shares for row in share.rows):
            # Perhaps these additions filled the memory. So the limit holds for this bucket only and is not stored.
            smaller = bucket.shapes.below(count)
        else:
            smaller = self._shapes.forget_from(bucket.model.network_name, shares[0].rows[0], count)
        if smaller is None:
            return False
        log.warning("The device has no room for %d rows of %s; forwards are smaller now.", count, bucket.key[0])
        bucket.shapes = smaller
        return True
