"""Rows: what one forward of a model is made of."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch

from pipeline.engine.device.per_row_layers import use
from pipeline.engine.families.base import Conditioning, StepAdapter
from pipeline.engine.loras.rows import RowLora


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class Row:
    """One image's latents with one text.

    Attributes:
        latents: [1, c, h, w], scaled as the model takes them.
        timestep: scalar on the CPU.
        conditioning: tensors of one row.
        lora: what its job adds to the model; None adds nothing.
    """

    latents: torch.Tensor
    timestep: torch.Tensor
    conditioning: Conditioning
    lora: RowLora | None = None


class StepInputs:
    """The network's inputs for one step of a job, and its predictions as they come.

    Unconditional rows come first, as diffusers has them, then one an image.

    Args:
        model_input: [images, c, h, w].
        timestep: scalar on the CPU.
        texts: conditioning of one row each: [unconditional and] conditional.
        lora: of every row.
    """

    def __init__(
        self,
        model_input: torch.Tensor,
        timestep: torch.Tensor,
        texts: Sequence[Conditioning],
        lora: RowLora | None = None,
    ) -> None:
        self.model_input = model_input
        self.timestep = timestep
        images = model_input.split(1)
        self.rows = [
            Row(latents=image, timestep=timestep, conditioning=conditioning, lora=lora)
            for conditioning in texts
            for image in images
        ]
        self._predictions: list[torch.Tensor] = []

    @property
    def remaining(self) -> list[Row]:
        """Rows without a prediction, in order."""
        return self.rows[len(self._predictions) :]

    def add_predictions(self, predictions: Sequence[torch.Tensor]) -> None:
        """Add [1, c, h, w] each for the first remaining rows."""
        self._predictions.extend(predictions)

    def parts(self) -> list[torch.Tensor]:
        """All predictions: [images, c, h, w] for each text."""
        images = len(self.model_input)
        return [torch.cat(self._predictions[start : start + images]) for start in range(0, len(self.rows), images)]


@torch.inference_mode()
def predict_rows(
    adapter: StepAdapter, rows: Sequence[Row], count: int, per_row_layers: Collection[str] = ()
) -> list[torch.Tensor]:
    """One forward.

    Args:
        adapter: the model.
        rows: at least one, with tensors of the same shapes.
        count: rows that the forward has; the first is repeated until it is full.
        per_row_layers: layers of the network that are computed a row at a time.

    Returns:
        [1, c, h, w] for each row.
    """
    use(adapter.network, per_row_layers)
    filled = [*rows, *[rows[0]] * (count - len(rows))]
    loras = [*[row.lora for row in rows], *[None] * (count - len(rows))]
    latents = torch.cat([row.latents for row in filled])
    # Samplers count time in whole or broken numbers; every model makes floats of them.
    timesteps = torch.stack([row.timestep.float() for row in filled]).to(latents.device)
    conditioning = {name: torch.cat([row.conditioning[name] for row in filled]) for name in rows[0].conditioning}
    return [*adapter.predict(latents, timesteps, conditioning, loras)[: len(rows)].split(1)]
