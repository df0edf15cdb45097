"""Whose rows the next forward takes: jobs of one bucket share it, buckets take turns on the device."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.steps.jobs import BucketKey, DenoisingJob
from pipeline.engine.steps.rows import Row
from pipeline.engine.steps.shapes import Shapes


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class Share:
    """A job's part of one forward."""

    job: DenoisingJob
    rows: Sequence[Row]


class Lane(ABC):
    """What takes turns on the device.

    Attributes:
        credit_s: seconds of the device that it may use before others have their turn.
    """

    def __init__(self) -> None:
        self.credit_s = 0.0

    @abstractmethod
    def __len__(self) -> int:
        """Jobs in line."""

    @property
    @abstractmethod
    def cost_s(self) -> float:
        """Seconds that its next turn will take."""

    @property
    @abstractmethod
    def weight(self) -> float:
        """Jobs that would need as much of the device one by one."""

    @abstractmethod
    def remove(self, job: object) -> None:
        """Take a job out of the line, if it is there."""


class Bucket(Lane):
    """Jobs whose rows fit one forward.

    Args:
        key: what they share.
        model: the model.
        shapes: row counts of its forwards.
    """

    def __init__(self, key: BucketKey, model: LoadedModel, shapes: Shapes) -> None:
        super().__init__()
        self.key = key
        self.model = model
        self.shapes = shapes
        self._line: deque[DenoisingJob] = deque()

    def __len__(self) -> int:
        """Jobs in line."""
        return len(self._line)

    @property
    def waiting_rows(self) -> int:
        """Rows that jobs ask for now."""
        return sum(len(job.inputs.remaining) for job in self._line if job.inputs is not None)

    @property
    def cost_s(self) -> float:
        """Seconds that the next forward will take."""
        return self.shapes.seconds[self.shapes.fitting(self.waiting_rows)]

    @property
    def weight(self) -> float:
        """See `weight_of`."""
        return weight_of(self.shapes, jobs=len(self), rows=self.waiting_rows)

    def add(self, job: DenoisingJob) -> None:
        """Put a job whose step is prepared into the line.

        At its end, but for one that has shown nothing yet: whoever has just asked soon sees something.
        """
        self.remove(job)
        if job.evaluation == job.first_evaluation:
            self._line.appendleft(job)
        else:
            self._line.append(job)

    def remove(self, job: object) -> None:
        """Take a job out of the line, if it is there."""
        if isinstance(job, DenoisingJob) and job in self._line:
            self._line.remove(job)

    def take(self) -> list[Share]:
        """Rows for the largest forward that the line can fill, first come first served."""
        shares: list[Share] = []
        room = self.shapes.most
        for job in self._line:
            rows = job.inputs.remaining[:room] if job.inputs is not None else []
            if rows:
                shares.append(Share(job=job, rows=rows))
                room -= len(rows)
        return shares


def weight_of(shapes: Shapes, *, jobs: int, rows: int) -> float:
    """Jobs that would need as much of the device one by one.

    As many as there are where sharing a forward saves nothing, one where a shared forward takes no longer.
    """
    alone_s = shapes.seconds[shapes.fitting(-(-rows // jobs))]
    forwards = -(-rows // shapes.most)
    together_s = forwards * shapes.seconds[shapes.fitting(rows)]
    return max(1.0, min(jobs, together_s / alone_s))


class Turns:
    """Deficit round robin between lanes (Shreedhar and Varghese, 1995).

    Each round gives a lane the seconds of the cheapest forward, times its weight, and a lane whose credit pays for
    its next forward has it. So many cheap forwards fit between two dear ones, and nobody waits longer than if all
    jobs were drawn one by one, a step each in turn.
    """

    def __init__(self) -> None:
        self._round: deque[Lane] = deque()

    def __len__(self) -> int:
        """Lanes with jobs."""
        return len(self._round)

    def find(self, key: BucketKey) -> Bucket | None:
        """The bucket of that key, if it has jobs."""
        return next((lane for lane in self._round if isinstance(lane, Bucket) and lane.key == key), None)

    def add(self, job: DenoisingJob, make: Callable[[], Bucket]) -> None:
        """Put a job into its bucket's line; the bucket is made where there is none."""
        bucket = self.find(job.bucket_key)
        if bucket is None:
            bucket = make()
            self._round.append(bucket)
        bucket.add(job)
        job.row_counts = tuple(bucket.shapes.seconds)

    def add_lane(self, lane: Lane) -> None:
        """Put a lane with its job into the round."""
        self._round.append(lane)

    def remove(self, job: object) -> None:
        """Take a job out, and its lane where it was the last."""
        for lane in [*self._round]:
            lane.remove(job)
            if not lane:
                self._round.remove(lane)

    def next(self) -> Lane | None:
        """Whose turn it is, paid for; None where nobody has jobs."""
        if not self._round:
            return None
        quantum_s = min(lane.cost_s for lane in self._round)
        while True:
            lane = self._round[0]
            if lane.credit_s >= lane.cost_s:
                lane.credit_s -= lane.cost_s
                return lane
            self._round.rotate(-1)
            self._round[0].credit_s += quantum_s * self._round[0].weight
