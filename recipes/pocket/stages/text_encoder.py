"""The stage `text`: pretrain the text encoder to match captions with pictures. Also the tokenizer."""

from pathlib import Path
from random import Random
from typing import Any, Final

import torch
from torch import nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from recipes.pocket import world
from recipes.pocket.drawing import scenes
from recipes.pocket.examples.batches import BatchPlan
from recipes.pocket.examples.captions import caption
from recipes.pocket.networks import LATENT_SIDE, make_text_encoder, make_tokenizer
from recipes.pocket.stages import autoencoder
from recipes.pocket.stages.training_run import StageOptions, TrainingRun

_CAPTIONS: Final = 20_000
_HIDDEN: Final = 192


def write_tokenizer(options: StageOptions) -> CLIPTokenizer:
    """Train a tokenizer on captions, and write the folder `tokenizer`."""
    rng = Random(options.seed)
    captions = [caption(scenes.sample_scene(rng, scenes.LEVELS - 1), rng) for _ in range(_CAPTIONS)]
    tokenizer = make_tokenizer([*captions, *world.vocabulary()])
    tokenizer.save_pretrained(options.folder / "tokenizer")
    return tokenizer


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """Load the tokenizer that `write_tokenizer` wrote."""
    return CLIPTokenizer.from_pretrained(folder / "tokenizer")


class _ImageEncoder(nn.Module):
    """Latents [b, 4, 16, 16] to states [b, 192] in the space of the pooled captions."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((4, 64), (64, 128), (128, _HIDDEN)):
            layers += [nn.Conv2d(before, after, 3, stride=1 if before == 4 else 2, padding=1), nn.SiLU()]
            layers += [nn.Conv2d(after, after, 3, padding=1), nn.SiLU()]
        side = LATENT_SIDE // 4
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(_HIDDEN * side * side, _HIDDEN))
        self.scale = nn.Parameter(torch.tensor(2.5))
        self.regress = nn.Linear(_HIDDEN, 4 * LATENT_SIDE * LATENT_SIDE)

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return self.layers(latents)


def train(options: StageOptions) -> None:
    """Run the stage: write the folder `text_encoder`. A small CLIP (Radford et al. 2021, arXiv:2103.00020).

    The loss is InfoNCE over the batch, plus the error of the latents that a linear layer predicts from the caption.
    Every second picture repeats the one before it with other things, so that no background gives a caption away.
    """
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.folder)
    vae = autoencoder.load(options.folder, options.device)
    model, image_encoder = make_text_encoder(tokenizer), _ImageEncoder()
    run = TrainingRun(
        "text", options, {"text_encoder": model, "eye": image_encoder}, {"text_encoder": 5e-4, "eye": 5e-4}
    )

    def loss_of(pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            latents = vae.encoder(pictures)
        captions = model(tokens).pooler_output
        likeness = (
            image_encoder.scale.exp()
            * functional.normalize(captions.float())
            @ functional.normalize(image_encoder(latents).float()).T
        )
        truth = torch.arange(len(likeness), device=likeness.device)
        matched = (functional.cross_entropy(likeness, truth) + functional.cross_entropy(likeness.T, truth)) / 2
        return matched + 2 * functional.mse_loss(image_encoder.regress(captions).float(), latents.float().flatten(1))

    run.train(BatchPlan(size=options.batch, twins=True), tokenizer, loss_of)
    with run.averaged():
        model.save_pretrained(options.folder / "text_encoder")


def load_text_encoder(folder: Path, device: torch.device) -> CLIPTextModel:
    """Load the text encoder that the latest stage wrote."""
    model: Any = CLIPTextModel.from_pretrained(folder / "text_encoder")
    return model.to(device)
