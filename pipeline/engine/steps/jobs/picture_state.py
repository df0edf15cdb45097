"""What a job keeps of its pictures from step to step: an init image of which a part is kept, and control pictures."""

from dataclasses import dataclass

import torch

from pipeline.engine.control.rows import RowControl
from pipeline.protocol.inputs import Input


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class Kept:
    """Latents of an init image, of which only a part is drawn anew.

    Attributes:
        known: latents of the init image, [images, c, h, w].
        noise: the job's initial noise, of the same shape.
        mask: the part that is drawn anew, [1, 1, h, w].
    """

    known: torch.Tensor
    noise: torch.Tensor
    mask: torch.Tensor

    def blended(self, latents: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Drawn latents in the part that is drawn anew, and `kept` elsewhere; None is the init image's latents."""
        return torch.where(self.mask, latents, self.known if kept is None else kept)


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class JobControl:
    """A control picture of a job.

    Attributes:
        given: the input, with its window.
        rows: what steers a row, for each pass of the job.
        is_guess: True when it steers the rows of the prompt alone, and not those of the negative prompt.
    """

    given: Input
    rows: tuple[RowControl, ...]
    is_guess: bool
