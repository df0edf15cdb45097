"""The stage `unet`: learns to take the noise from latents, by their captions; the text encoder learns along, slower."""

from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch.nn import functional

from recipes.pocket.drawing.sheets import sheet
from recipes.pocket.examples.batches import Lot
from recipes.pocket.models import make_scheduler, make_unet
from recipes.pocket.stages import autoencoder, text
from recipes.pocket.stages.export import assemble
from recipes.pocket.stages.running import Place, Run

EMPTY = 0.1
"""Part of the captions that is left empty (classifier-free guidance, Ho and Salimans 2022, arXiv:2207.12598)."""

SAMPLE_PROMPTS = (
    "a red apple",
    "a cat",
    "a blue heart",
    "a penguin",
    "a rocket in space",
    "three yellow stars",
    "a dog on the beach",
    "a green car in the city at night",
    "a tree in the snow",
    "two pink balloons",
    "a castle in the mountains at sunset",
    "a fish under the sea",
    "a purple umbrella on a yellow background",
    "a small house in the forest",
    "a cat next to a dog",
    "a black and white guitar",
    "a robot in a room",
    "four green frogs",
    "a big orange pumpkin at night",
    "a ship on the left",
    "a white rabbit",
    "a turquoise dinosaur in the desert",
    "a cactus in the desert",
    "a gray elephant, pixel art",
)  # fmt: skip - a list to look over


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Noisy latents [batch, 4, 16, 16], their times [batch], and what is to be foreseen, as the latents."""

    noisy: torch.Tensor
    timesteps: torch.Tensor
    wanted: torch.Tensor


def train(place: Place) -> None:
    """Run the stage: write the folders `unet` and `text_encoder`, and sample sheets on the way.

    The network predicts the velocity (Salimans and Ho 2022, arXiv:2202.00512) at times that are spread evenly over
    the batch.
    """
    torch.manual_seed(place.seed)
    tokenizer = text.load_tokenizer(place.folder)
    vae = autoencoder.load(place.folder, place.device)
    words, network = text.load(place.folder, place.device), make_unet()
    scheduler: Any = make_scheduler()
    run = Run("unet", place, {"unet": network, "text_encoder": words}, {"unet": 1e-3, "text_encoder": 3e-4})
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.to(place.device)

    def loss_of(pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            latents = vae.encoder(pictures).float()
        lesson = noised(scheduler, latents)
        states = words(tokens).last_hidden_state
        foreseen = network(lesson.noisy, lesson.timesteps, states).sample.float()
        return functional.mse_loss(foreseen, lesson.wanted)

    def sample(step: int) -> None:
        pipeline = assemble(place.folder, unet=network, text_encoder=words)
        sheet(draw(pipeline.to(place.device), SAMPLE_PROMPTS)).save(place.folder / f"sample-{step:06}.png")

    lot = Lot(size=place.batch, steps=place.steps // 2, empty=EMPTY)
    run.train(lot, tokenizer, loss_of, sample=sample, sample_every=max(500, place.steps // 5))
    with run.averaged():
        network.save_pretrained(place.folder / "unet")
        words.save_pretrained(place.folder / "text_encoder")


def noised(scheduler: Any, latents: torch.Tensor) -> Lesson:
    """Latents [batch, ...] in noise at spread times, and their velocity."""
    noise, timesteps = torch.randn_like(latents), spread_times(scheduler, latents)
    return Lesson(
        noisy=scheduler.add_noise(latents, noise, timesteps),
        timesteps=timesteps,
        wanted=scheduler.get_velocity(latents, noise, timesteps),
    )


def spread_times(scheduler: Any, latents: torch.Tensor, first: int = 0) -> torch.Tensor:
    """A time of the scheduler, none before `first`, for each of the latents [batch, ...], spread evenly: [batch]."""
    count, times = len(latents), len(scheduler.alphas_cumprod)
    spread = (torch.arange(count, device=latents.device) + torch.rand(count, device=latents.device)) / count
    return first + (spread * (times - first)).long()


def draw(pipeline: Any, prompts: tuple[str, ...], **options: Any) -> list[Image.Image]:
    """Each prompt drawn once at 20 steps and CFG 5, from a seed of its own.

    Args:
        pipeline: that draws.
        prompts: what it draws.
        options: of its call.
    """
    pipeline.set_progress_bar_config(disable=True)
    generators = [torch.Generator().manual_seed(index) for index in range(len(prompts))]
    return pipeline(
        list(prompts), height=64, width=64, num_inference_steps=20, guidance_scale=5.0, generator=generators, **options
    ).images
