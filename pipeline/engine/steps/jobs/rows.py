"""Rows of a forward pass, and the forward pass over them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import torch
from torch import nn

from pipeline.engine.control.rows import Residuals, RowControl
from pipeline.engine.device.per_row_layers import use
from pipeline.engine.families.base import Conditioning
from pipeline.engine.loras.rows import RowLora, Rows
from pipeline.engine.references.rows import RowReference
from pipeline.engine.sampling.tiling import Tiling

NO_RESIDUALS: Final[Residuals] = MappingProxyType({})


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class Row:
    """One batch entry: one image's latents with one text's conditioning.

    Attributes:
        latents: [1, c, h, w], scaled for the model's input; those of an inpainting model have its extra channels.
        timestep: scalar on the CPU.
        conditioning: tensors of one row.
        lora: the job's LoRAs; None adds nothing to the model.
        references: the job's references; None adds none.
        controls: control pictures that steer this row.
    """

    latents: torch.Tensor
    timestep: torch.Tensor
    conditioning: Conditioning
    lora: RowLora | None = None
    references: RowReference | None = None
    controls: tuple[RowControl, ...] = ()

    @property
    def has_additions(self) -> bool:
        """True when the row needs more memory than its tensors' shapes say."""
        return self.lora is not None or self.references is not None or bool(self.controls)


class RowNetwork(Protocol):
    """A network that runs rows: that of a step adapter, or a control net."""

    @property
    def network(self) -> nn.Module:
        """The network."""
        ...

    def predict(
        self,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        conditioning: Conditioning,
        loras: Rows = (),
        references: Sequence[RowReference | None] = (),
    ) -> torch.Tensor:
        """Run one forward pass; see `StepAdapter.predict`."""
        ...


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class Branch:
    """One side of guidance: what the rows of all images get beside their latents.

    Attributes:
        conditionings: tensors of one row for each image; a single entry is for all images.
        extra: channels that each image has behind its latents in the network's input, [images, channels, h, w]; None
            for none.
        references: what the rows see of references; None for nothing.
        controls: control pictures that steer the rows.
    """

    conditionings: Sequence[Conditioning]
    extra: torch.Tensor | None = None
    references: RowReference | None = None
    controls: tuple[RowControl, ...] = ()


class StepInputs:
    """Network inputs of one step of a job, and the predictions received so far.

    Each branch has one row for each image, or for each tile of each image.

    Args:
        model_input: [images, c, h, w].
        timestep: scalar on the CPU.
        branches: branches of guidance, in the order of their rows.
        lora: the job's LoRAs, for every row.
        tiling: the tiles of the images; None for whole images.
    """

    def __init__(
        self,
        model_input: torch.Tensor,
        timestep: torch.Tensor,
        branches: Sequence[Branch],
        lora: RowLora | None = None,
        tiling: Tiling | None = None,
    ) -> None:
        self.model_input = model_input
        self._tiling = tiling
        self._branch_count = len(branches)
        self.timestep = timestep
        self.rows = [
            Row(
                latents=part,
                timestep=timestep,
                conditioning=conditioning,
                lora=lora,
                references=branch.references,
                controls=branch.controls,
            )
            for branch in branches
            for image, conditioning in self._images(branch)
            for part in self._cut(image).split(1)
        ]
        self._predictions: list[torch.Tensor] = []

    @property
    def rows_of_image(self) -> int:
        """Number of rows of one image: one for each branch, or for each tile in each branch."""
        return len(self.rows) // len(self.model_input)

    @property
    def remaining(self) -> list[Row]:
        """Rows without a prediction, in order."""
        return self.rows[len(self._predictions) :]

    def add_predictions(self, predictions: Sequence[torch.Tensor]) -> None:
        """Add predictions, [1, c, h, w] each, for the first remaining rows."""
        self._predictions.extend(predictions)

    def parts(self) -> list[torch.Tensor]:
        """All predictions: [images, c, h, w] for each branch."""
        of_branch = len(self.rows) // self._branch_count
        parts = [
            torch.cat(self._predictions[first : first + of_branch]) for first in range(0, len(self.rows), of_branch)
        ]
        if self._tiling is None:
            return parts
        return [self._tiling.joined(part, self.model_input) for part in parts]

    def _images(self, branch: Branch) -> Iterator[tuple[torch.Tensor, Conditioning]]:
        """Network input [1, channels, h, w] and conditioning of each image in a branch."""
        images = _with_extra(self.model_input, branch.extra).split(1)
        each = branch.conditionings
        return zip(images, each if len(each) == len(images) else [*each] * len(images), strict=True)

    def _cut(self, network_input: torch.Tensor) -> torch.Tensor:
        return network_input if self._tiling is None else self._tiling.cut(network_input)


def _with_extra(model_input: torch.Tensor, extra: torch.Tensor | None) -> torch.Tensor:
    return model_input if extra is None else torch.cat([model_input, extra], dim=1)


@torch.inference_mode()
def predict_rows(
    adapter: RowNetwork,
    rows: Sequence[Row],
    count: int,
    per_row_layers: Collection[str] = (),
    residuals: Residuals = NO_RESIDUALS,
) -> list[torch.Tensor]:
    """Run one forward pass.

    Args:
        adapter: the model.
        rows: at least one, with tensors of the same shapes.
        count: row count of the forward pass; copies of the first row fill it up.
        per_row_layers: names of the network's layers that compute one row at a time.
        residuals: what control nets add to the rows, with `count` rows; see `ControlForwards`.

    Returns:
        Predictions for each row, [1, c, h, w] of a model.
    """
    use(adapter.network, per_row_layers)
    filled = [*rows, *[rows[0]] * (count - len(rows))]
    loras = [row.lora for row in filled]
    references = [*[row.references for row in rows], *[None] * (count - len(rows))]
    latents = torch.cat([row.latents for row in filled])
    # Schedulers use integers or floats as timesteps. Every model converts them to floats anyway.
    timesteps = torch.stack([row.timestep.float() for row in filled]).to(latents.device)
    conditioning = {name: torch.cat([row.conditioning[name] for row in filled]) for name in rows[0].conditioning}
    inputs = {**conditioning, **residuals}
    return [*adapter.predict(latents, timesteps, inputs, loras, references)[: len(rows)].split(1)]
