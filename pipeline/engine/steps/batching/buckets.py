"""Scheduling of forward passes: jobs of one bucket share a forward pass, and buckets take turns on the device."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.steps.batching.shapes import Shapes
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.engine.steps.jobs.keys import BucketKey
from pipeline.engine.steps.jobs.rows import Row, StepInputs


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class Share:
    """Rows that one job contributes to a forward pass."""

    job: DenoisingJob
    rows: Sequence[Row]


class Lane(ABC):
    """Queue of jobs that takes turns with other lanes on the device.

    Attributes:
        credit_s: device time in seconds that the lane may use now.
    """

    def __init__(self) -> None:
        self.credit_s = 0.0

    @abstractmethod
    def __len__(self) -> int:
        """Number of jobs."""

    @property
    @abstractmethod
    def cost_s(self) -> float:
        """Expected seconds of the lane's next turn."""

    @property
    @abstractmethod
    def weight(self) -> float:
        """Number of separately run jobs that would need the same device time; see `weight_of`."""

    @abstractmethod
    def remove(self, job: object) -> None:
        """Remove a job; an unknown one is ignored."""


class Bucket(Lane):
    """Lane of jobs that can share a forward pass.

    Args:
        key: the model and tensor shapes that the jobs have in common.
        model: the model.
        shapes: row counts of the bucket's forward passes.
    """

    def __init__(self, key: BucketKey, model: LoadedModel, shapes: Shapes) -> None:
        super().__init__()
        self.key = key
        self.model = model
        self.shapes = shapes
        self._line: deque[DenoisingJob] = deque()

    def __len__(self) -> int:
        """Number of jobs."""
        return len(self._line)

    @property
    def waiting_rows(self) -> int:
        """Number of rows that have no prediction yet, over all jobs."""
        return sum(len(job.inputs.remaining) for job in self._line if job.inputs is not None)

    @property
    def cost_s(self) -> float:
        """Expected seconds of the next forward pass."""
        return self.shapes.seconds[self.shapes.fitting(sum(len(share.rows) for share in self.take()))]

    @property
    def weight(self) -> float:
        """Number of separately run jobs that would need the same device time; see `weight_of`."""
        return weight_of(self.shapes, jobs=len(self), rows=self.waiting_rows)

    def add(self, job: DenoisingJob) -> None:
        """Append a job whose step is prepared.

        A job before its first evaluation goes to the front, because its requester should see progress soon.
        """
        self.remove(job)
        if job.evaluation == job.first_evaluation:
            self._line.appendleft(job)
        else:
            self._line.append(job)

    def remove(self, job: object) -> None:
        """Remove a job; an unknown one is ignored."""
        if isinstance(job, DenoisingJob) and job in self._line:
            self._line.remove(job)

    def holds(self, job: DenoisingJob) -> bool:
        """Whether the job is in this bucket."""
        return job in self._line

    def take(self) -> list[Share]:
        """Rows for the next forward pass; the jobs stay in the bucket.

        While several jobs wait, a job of many rows gets no more than its part of the forward pass, or one image. What
        is left then goes to the first jobs. So a morph of many frames and a single picture go on side by side.
        """
        waiting = [(job, job.inputs) for job in self._line if job.inputs is not None and job.inputs.remaining]
        if not waiting:
            return []
        room = self._room([inputs for _, inputs in waiting])
        part = room // len(waiting)
        counts = [0] * len(waiting)
        for bounds in ([max(inputs.rows_of_image, part) for _, inputs in waiting], [room] * len(waiting)):
            for place, ((_, inputs), bound) in enumerate(zip(waiting, bounds, strict=True)):
                more = min(len(inputs.remaining), bound) - counts[place]
                counts[place] += min(more, room - sum(counts))
        return [
            Share(job=job, rows=inputs.remaining[:count])
            for (job, inputs), count in zip(waiting, counts, strict=True)
            if count
        ]

    def _room(self, waiting: Sequence[StepInputs]) -> int:
        """Most rows of the next forward pass.

        It takes no longer than one step of the smallest job would alone, times the number of jobs. So no job is slower
        than if the jobs ran one step of each in turn, however many rows another one has.
        """
        if len(waiting) == 1:
            return self.shapes.most
        smallest = min(len(inputs.rows) for inputs in waiting)
        longest_s = len(waiting) * self.shapes.seconds[self.shapes.fitting(smallest)]
        return max(count for count, seconds in self.shapes.seconds.items() if seconds <= longest_s)


def weight_of(shapes: Shapes, *, jobs: int, rows: int) -> float:
    """Number of separately run jobs that would need the same device time as these jobs together.

    The result is `jobs` when sharing a forward pass saves nothing. It is 1 when a shared forward pass takes as long as
    one of a single job.
    """
    alone_s = shapes.seconds[shapes.fitting(-(-rows // jobs))]
    forwards = -(-rows // shapes.most)
    together_s = forwards * shapes.seconds[shapes.fitting(rows)]
    return max(1.0, min(jobs, together_s / alone_s))


class Turns:
    """Deficit round robin between lanes (Shreedhar and Varghese, 1995).

    Each round adds credit to each lane: the seconds of the cheapest turn, times the lane's weight. A lane runs when its
    credit covers its next turn. So several cheap forward passes run between two expensive ones. No job waits longer
    than if all jobs ran separately, one step of each in turn.
    """

    def __init__(self) -> None:
        self._round: deque[Lane] = deque()

    def __len__(self) -> int:
        """Number of lanes; each has jobs."""
        return len(self._round)

    def find(self, key: BucketKey) -> Bucket | None:
        """Bucket with this key; None when no job has it."""
        return next((lane for lane in self._round if isinstance(lane, Bucket) and lane.key == key), None)

    def add(self, job: DenoisingJob, make: Callable[[], Bucket]) -> None:
        """Add a job to its bucket, and take it out of another; `make` creates the bucket if it does not exist."""
        bucket = self.find(job.bucket_key)
        if bucket is None or not bucket.holds(job):
            self.remove(job)
        if bucket is None:
            bucket = make()
            self._round.append(bucket)
        bucket.add(job)
        job.row_counts = tuple(bucket.shapes.seconds)

    def add_lane(self, lane: Lane) -> None:
        """Append a lane that holds its job already."""
        self._round.append(lane)

    def remove(self, job: object) -> None:
        """Remove a job from every lane, and remove lanes that are then empty."""
        for lane in [*self._round]:
            lane.remove(job)
            if not lane:
                self._round.remove(lane)

    def next(self) -> Lane | None:
        """Choose the next lane and, beside others, subtract its cost from its credit; None when there are no jobs."""
        if not self._round:
            return None
        if len(self._round) == 1:
            return self._round[0]  # its cost need not be asked; without others, nothing is owed
        quantum_s = min(lane.cost_s for lane in self._round)
        while True:
            lane = self._round[0]
            if lane.credit_s >= lane.cost_s:
                lane.credit_s -= lane.cost_s
                return lane
            self._round.rotate(-1)
            self._round[0].credit_s += quantum_s * self._round[0].weight
