"""The stage `things`: teach the U-Net to remove a thing or a place that a negative prompt names.

A thing's name is a prompt as well, so no text state can always remove the thing. But two things in a picture tell the
two uses apart, as soon as the noise lets the network see them. That is early enough: with "a cat and a dog" down to
timestep 700 of 1000 and "a cat on the left" from there on, 15 of 16 pairs lost their second thing. So below that
timestep the U-Net learns n = u + F (p - q), the target of the stage `negatives`; above it, a name stays a prompt. The
text encoder is frozen.

The U-Net also learns plain captions, so that prompts lose little. It keeps the effect of all other negative prompts.
"""

from typing import Any, Final

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch.nn import functional

from recipes.pocket.drawing.sheets import sheet
from recipes.pocket.examples.batches import BatchPlan
from recipes.pocket.examples.color_removal import ColorRemover, own_colors
from recipes.pocket.examples.object_removal import ObjectRemover
from recipes.pocket.networks import tokenize
from recipes.pocket.stages import unet
from recipes.pocket.stages.export import assemble
from recipes.pocket.stages.teacher import Teacher
from recipes.pocket.stages.text_encoder import load_tokenizer
from recipes.pocket.stages.training_run import StageOptions, TrainingRun

REMOVAL_SCALE: Final = 2.0
"""F in n = u + F (p - q). It exceeds the 5/4 of CFG 5, since training falls short of its target."""

_REMOVAL_TIMESTEPS: Final = 0.7
"""Share of the timesteps, those with the least noise, that remove something."""

_SAMPLES: Final = (
    ("a cat and a dog", "dog"),
    ("a cat and a dog", "cat"),
    ("a red apple next to a hat", "hat"),
    ("a house above a car", "house"),
    ("a robot and a tree in the snow", "tree"),
    ("a fish under the sea", "sea"),
    ("a rocket in space", "space"),
    ("a car in the city", "city"),
    ("a yellow duck", "red"),
    ("a key", "ugly, blurry"),
    ("dog", ""),
    ("tree", ""),
)
"""Prompts and negative prompts of the sample sheets."""


def train(options: StageOptions) -> None:
    """Run the stage: overwrite the folder `unet`, and write sample sheets during the run.

    Args:
        options: its folder has `unet` of the stage `unet` and `text_encoder` of the stage `names`.
    """
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.folder)
    teacher = Teacher(options)
    network: Any = UNet2DConditionModel.from_pretrained(options.folder / "unet")
    network.to(memory_format=torch.channels_last)
    empty = tokenize(tokenizer, [""]).to(options.device)
    run = TrainingRun("things", options, {"unet": network}, {"unet": 3e-4})

    def loss_of(pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        latents = teacher.latents(pictures)
        plain = unet.add_noise(teacher.scheduler, latents)
        with torch.no_grad():
            states = teacher.text_encoder(torch.cat([*tokens.unbind(1), empty])).last_hidden_state
        drawn, negative, full, edited = states[:-1].chunk(4)
        # Where the negative prompt keeps its effect, `full` is the negative prompt itself and `edited` is empty. Then
        # the target is u + 1 (p - u) = p, at all timesteps.
        is_kept = (tokens[:, 1] == tokens[:, 2]).all(-1)
        timesteps = unet.spread_timesteps(teacher.scheduler, latents)
        example = teacher.make_example(
            latents,
            torch.where(is_kept, timesteps, (_REMOVAL_TIMESTEPS * timesteps).long()),
            (full, edited, states[-1:].expand_as(full)),
            scale=torch.where(is_kept, 1.0, REMOVAL_SCALE)[:, None, None, None],
        )
        predicted = network(
            torch.cat([plain.noisy, example.noisy]),
            torch.cat([plain.timesteps, example.timesteps]),
            torch.cat([drawn, negative]),
        ).sample.float()
        return functional.mse_loss(predicted, torch.cat([plain.target, example.target]))

    def sample(step: int) -> None:
        pipeline = assemble(options.folder, unet=network, text_encoder=teacher.text_encoder).to(options.device)
        prompts, negatives = zip(*_SAMPLES, strict=True)
        drawn = [*unet.draw(pipeline, prompts), *unet.draw(pipeline, prompts, negative_prompt=[*negatives])]
        sheet(drawn, columns=len(prompts)).save(options.folder / f"things-{step:06}.png")

    plan = BatchPlan(size=options.batch, make_example=ObjectRemover(ColorRemover(own_colors(run.painter))).make_example)
    run.train(plan, tokenizer, loss_of, sample=sample, sample_every=max(100, options.steps // 10))
    with run.averaged():
        network.save_pretrained(options.folder / "unet")
