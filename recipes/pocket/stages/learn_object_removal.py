"""The stage `things`: the U-Net learns to take away a thing or a place that a negative prompt names, where it sees it.

The name of a thing is a prompt as well, so no state of it can always be what takes the thing away. But a picture of
two things tells the two uses apart as soon as it can be seen in the noise, and that is early enough: guided by "a cat
and a dog" until 700 of 1,000 times are left and by "a cat on the left" from there on, 15 of 16 pairs lost their second
thing. So with less noise than that, n = u + F (p - q) is learnt as in the stage `negatives`. With more, a name stays a
prompt. The text encoder stays as it is.

Captions are learnt along with it, so that prompts lose little, and what else a negative prompt does is kept.
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
"""Instead of the 5/4 that CFG 5 needs, since what is learnt falls short of the goal."""

_SEEN: Final = 0.7
"""Part of the scheduler's times, those of least noise, in which something is taken away."""

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
"""Prompts, and what is taken out of them."""


def train(options: StageOptions) -> None:
    """Run the stage: write the folder `unet` anew, and sample sheets on the way.

    Args:
        options: its folder holds `unet` as the stage of that name left it and `text_encoder` as `names` did.
    """
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.folder)
    teacher = Teacher(options)
    network: Any = UNet2DConditionModel.from_pretrained(options.folder / "unet")
    network.to(memory_format=torch.channels_last)
    no_words = tokenize(tokenizer, [""]).to(options.device)
    run = TrainingRun("things", options, {"unet": network}, {"unet": 3e-4})

    def loss_of(pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        latents = teacher.latents(pictures)
        known = unet.add_noise(teacher.scheduler, latents)
        with torch.no_grad():
            states = teacher.text_encoder(torch.cat([*tokens.unbind(1), no_words])).last_hidden_state
        said, named, whole, left = states[:-1].chunk(4)
        # Where the negative prompt itself is to be predicted, u + 1 (p - u) = p is, and at all times.
        is_kept = (tokens[:, 1] == tokens[:, 2]).all(-1)
        timesteps = unet.spread_timesteps(teacher.scheduler, latents)
        lesson = teacher.make_example(
            latents,
            torch.where(is_kept, timesteps, (_SEEN * timesteps).long()),
            (whole, left, states[-1:].expand_as(whole)),
            scale=torch.where(is_kept, 1.0, REMOVAL_SCALE)[:, None, None, None],
        )
        predicted = network(
            torch.cat([known.noisy, lesson.noisy]),
            torch.cat([known.timesteps, lesson.timesteps]),
            torch.cat([said, named]),
        ).sample.float()
        return functional.mse_loss(predicted, torch.cat([known.target, lesson.target]))

    def sample(step: int) -> None:
        pipeline = assemble(options.folder, unet=network, text_encoder=teacher.text_encoder).to(options.device)
        prompts, taken = zip(*_SAMPLES, strict=True)
        drawn = [*unet.draw(pipeline, prompts), *unet.draw(pipeline, prompts, negative_prompt=[*taken])]
        sheet(drawn, columns=len(prompts)).save(options.folder / f"things-{step:06}.png")

    plan = BatchPlan(size=options.batch, make_example=ObjectRemover(ColorRemover(own_colors(run.painter))).make_example)
    run.train(plan, tokenizer, loss_of, sample=sample, sample_every=max(100, options.steps // 10))
    with run.averaged():
        network.save_pretrained(options.folder / "unet")
