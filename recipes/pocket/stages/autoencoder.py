"""The stage `autoencoder`: train the autoencoder. Its latents have unit variance."""

from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch.nn import functional

from recipes.pocket.drawing.painter import Painter
from recipes.pocket.examples.batches import BatchPlan, batches
from recipes.pocket.networks import make_autoencoder
from recipes.pocket.stages.training_run import StageOptions, TrainingRun

_NOISE = 0.05
"""Standard deviation of the noise on the latents in training. The decoder learns to ignore errors of the U-Net."""


def train(options: StageOptions, tokenizer: Any) -> None:
    """Run the stage: write the folder `vae`.

    Args:
        options: its folder has `atlas.npz`.
        tokenizer: a CLIP tokenizer; batches need one, though this stage uses no captions.
    """
    torch.manual_seed(options.seed)
    model = make_autoencoder()
    run = TrainingRun("autoencoder", options, {"vae": model}, {"vae": 1e-3})

    def loss_of(pictures: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        latents = model.encoder(pictures)
        decoded = model.decoder(latents + _NOISE * torch.randn_like(latents)).float()
        return picture_loss(decoded, pictures) + 0.1 * unit_loss(latents.float())

    run.train(BatchPlan(size=options.batch), tokenizer, loss_of)
    with run.averaged():
        model.save_pretrained(options.folder / "vae")
    print(f"The autoencoder reaches {fidelity(options, tokenizer):.1f} dB on pictures that it has not seen.")


def load(folder: Path, device: torch.device) -> AutoencoderTiny:
    """Load the trained autoencoder, frozen."""
    model: Any = AutoencoderTiny.from_pretrained(folder / "vae")
    return model.to(device).eval().requires_grad_(requires_grad=False)


def picture_loss(decoded: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
    """Absolute and squared error, and the absolute error of edges; the last keeps outlines sharp."""
    difference = decoded - pictures
    across, down = difference.diff(dim=-1), difference.diff(dim=-2)
    edges = across.abs().mean() + down.abs().mean()
    return difference.abs().mean() + difference.square().mean() + edges


def unit_loss(latents: torch.Tensor) -> torch.Tensor:
    """Squared distance of each channel's mean and standard deviation from 0 and 1."""
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    return mean.square().mean() + (deviation - 1).square().mean()


@torch.no_grad()
def fidelity(options: StageOptions, tokenizer: Any) -> float:
    """Mean peak signal-to-noise ratio in dB of 256 pictures that are not in the training data."""
    model, painter = load(options.folder, options.device), Painter(options.folder / "atlas.npz", options.device)
    ratios: list[torch.Tensor] = []
    for batch in batches(BatchPlan(size=64), tokenizer, seed=options.seed + 999, first=0, last=4, workers=0):
        pictures = painter.draw(batch.to(options.device).layout)
        decoded = model.decoder(model.encoder(pictures)).clamp(-1, 1)
        errors = functional.mse_loss(decoded, pictures, reduction="none").mean((1, 2, 3)).clamp(min=1e-8)
        ratios.append(10 * torch.log10(4 / errors))
    return float(torch.cat(ratios).mean())
