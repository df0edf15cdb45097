"""Forwards, and what is done when one fails."""

import gc
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from pipeline.engine.device.placement import Placement, release_memory
from pipeline.engine.failures import detail_of, let_go, reason_of
from pipeline.engine.steps.buckets import Bucket, Share
from pipeline.engine.steps.rows import predict_rows
from pipeline.engine.steps.shapes import ShapeBook
from pipeline.protocol.errors import FailureReason

log = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class Outcome:
    """What came of a forward for some jobs.

    Attributes:
        shares: whose rows they were.
        answers: [1, c, h, w] for each row of every share, in order; empty where it failed.
        failure: why it failed, for all of them together.
    """

    shares: Sequence[Share]
    answers: Sequence[torch.Tensor] = ()
    failure: Exception | None = None


class Forwards:
    """Draws rows.

    Args:
        shapes: what is known of the device.
        placement: the device.
    """

    def __init__(self, shapes: ShapeBook, placement: Placement) -> None:
        self._shapes = shapes
        self._placement = placement

    def draw(self, bucket: Bucket, shares: Sequence[Share]) -> list[Outcome]:
        """One forward for these rows.

        Where it fails for several jobs, each is tried once more by itself, so that only the guilty one fails. Where
        the device is full, nothing comes of it but smaller forwards from now on. What the device itself breaks is
        everybody's failure.
        """
        rows = [row for share in shares for row in share.rows]
        count = bucket.shapes.fitting(len(rows))
        try:
            answers = predict_rows(bucket.model.adapter, rows, count, bucket.shapes.per_row_layers.get(count, ()))
        # Whatever it is, it is some job's failure and must not end the others.
        except Exception as error:  # noqa: BLE001 - see above
            failure = error
        else:
            return [Outcome(shares=shares, answers=answers)]
        # Outside of the handler, which keeps the tensors of the failed forward.
        return self._mend(bucket, shares, failure)

    def release(self) -> None:
        """Hand unused memory back to the device."""
        gc.collect()
        release_memory(self._placement.device)

    def _mend(self, bucket: Bucket, shares: Sequence[Share], failure: Exception) -> list[Outcome]:
        reason = reason_of(failure)
        if reason is FailureReason.OUT_OF_MEMORY and self._has_shrunk(bucket, shares, failure):
            return []
        if reason is FailureReason.DEVICE_ERROR or len(shares) == 1:
            return [Outcome(shares=shares, failure=failure)]
        names = [share.job.name for share in shares]
        log.warning("A forward for jobs %s failed and is done for each alone: %s", names, detail_of(failure))
        return [outcome for share in shares for outcome in self.draw(bucket, [share])]

    def _has_shrunk(self, bucket: Bucket, shares: Sequence[Share], failure: Exception) -> bool:
        """Use smaller forwards from now on; False where there are none."""
        count = bucket.shapes.fitting(sum(len(share.rows) for share in shares))
        let_go(failure)
        bucket.model.adapter.release()
        self.release()
        if any(row.lora is not None for share in shares for row in share.rows):
            # It may be the LoRAs that filled the device, so only these jobs have smaller forwards.
            smaller = bucket.shapes.below(count)
        else:
            smaller = self._shapes.forget_from(bucket.model.spec.key, shares[0].rows[0], count)
        if smaller is None:
            return False
        log.warning("The device has no room for %d rows of %s; forwards are smaller now.", count, bucket.key[0])
        bucket.shapes = smaller
        return True
