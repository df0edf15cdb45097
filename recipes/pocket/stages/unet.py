"""The stage `unet`: train the U-Net to denoise latents by their captions. The text encoder learns at a lower rate."""

from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch.nn import functional

from recipes.pocket.drawing.sheets import sheet
from recipes.pocket.examples.batches import EMPTY_SHARE, BatchPlan
from recipes.pocket.networks import make_scheduler, make_unet
from recipes.pocket.stages import autoencoder
from recipes.pocket.stages.export import assemble
from recipes.pocket.stages.text_encoder import load_text_encoder, load_tokenizer
from recipes.pocket.stages.training_run import StageOptions, TrainingRun

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
class DenoisingExample:
    """Noisy latents [batch, 4, 16, 16], their timesteps [batch], and the prediction's target [batch, 4, 16, 16]."""

    noisy: torch.Tensor
    timesteps: torch.Tensor
    target: torch.Tensor


def train(options: StageOptions) -> None:
    """Run the stage: write the folders `unet` and `text_encoder`, and sample sheets during the run.

    The network predicts the velocity (Salimans and Ho 2022, arXiv:2202.00512) at timesteps that are spread evenly
    over the batch.
    """
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.folder)
    vae = autoencoder.load(options.folder, options.device)
    encoder, network = load_text_encoder(options.folder, options.device), make_unet()
    scheduler: Any = make_scheduler()
    run = TrainingRun("unet", options, {"unet": network, "text_encoder": encoder}, {"unet": 1e-3, "text_encoder": 3e-4})
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.to(options.device)

    def loss_of(pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            latents = vae.encoder(pictures).float()
        example = add_noise(scheduler, latents)
        states = encoder(tokens).last_hidden_state
        predicted = network(example.noisy, example.timesteps, states).sample.float()
        return functional.mse_loss(predicted, example.target)

    def sample(step: int) -> None:
        pipeline = assemble(options.folder, unet=network, text_encoder=encoder)
        sheet(draw(pipeline.to(options.device), SAMPLE_PROMPTS)).save(options.folder / f"sample-{step:06}.png")

    plan = BatchPlan(size=options.batch, rise_steps=options.steps // 2, empty_share=EMPTY_SHARE)
    run.train(plan, tokenizer, loss_of, sample=sample, sample_every=max(500, options.steps // 5))
    with run.averaged():
        network.save_pretrained(options.folder / "unet")
        encoder.save_pretrained(options.folder / "text_encoder")


def add_noise(scheduler: Any, latents: torch.Tensor) -> DenoisingExample:
    """Latents [batch, ...] in noise at spread timesteps, with their velocity as target."""
    noise, timesteps = torch.randn_like(latents), spread_timesteps(scheduler, latents)
    return DenoisingExample(
        noisy=scheduler.add_noise(latents, noise, timesteps),
        timesteps=timesteps,
        target=scheduler.get_velocity(latents, noise, timesteps),
    )


def spread_timesteps(scheduler: Any, latents: torch.Tensor, first: int = 0) -> torch.Tensor:
    """Timesteps [batch] for latents [batch, ...], spread evenly from `first` to the scheduler's last."""
    count, times = len(latents), len(scheduler.alphas_cumprod)
    spread = (torch.arange(count, device=latents.device) + torch.rand(count, device=latents.device)) / count
    return first + (spread * (times - first)).long()


def draw(pipeline: Any, prompts: tuple[str, ...], **options: Any) -> list[Image.Image]:
    """Draw each prompt once with 20 steps and CFG 5. Its seed is its index.

    Args:
        pipeline: a Stable Diffusion pipeline.
        prompts: the prompts.
        options: more arguments of the pipeline's call.
    """
    pipeline.set_progress_bar_config(disable=True)
    generators = [torch.Generator().manual_seed(index) for index in range(len(prompts))]
    return pipeline(
        list(prompts), height=64, width=64, num_inference_steps=20, guidance_scale=5.0, generator=generators, **options
    ).images
