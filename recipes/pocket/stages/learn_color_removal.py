"""The stage `negatives`: teach the text encoder to remove the concept of a negative prompt.

The concept is the color, time, weather or style that the negative prompt names. Later stages add places and things.

Guidance draws `n + s (p - n)` (Ho and Salimans 2022, arXiv:2207.12598): `p` is the prediction for the prompt, `n` the
prediction for the negative prompt, `s` the CFG scale. After the stage `unet`, `n` depicts the words of the negative
prompt. So it disturbs pictures without them, and 5 p - 4 n keeps the red of an apple: training showed no plain apple in
another color.

The network is its own teacher. `q` is its prediction for the caption without the concept, `u` its prediction for the
empty prompt. The target is n = u + 5/4 (p - q), since guidance at CFG 5 then draws what `q` draws:
5 p - 4 n = 5 q - 4 u. Where the negative prompt names nothing in the picture, the target is n = u.

The U-Net is frozen. The encoder keeps its states for captions, lone places and lone things, so that prompts draw nearly
the same pictures. For that reason this stage removes no places and no things: "beach" is a prompt as well.
"""

import copy
from typing import Any, Final

import torch
from rich.progress import track
from torch.nn import functional

from recipes.pocket.drawing.sheets import sheet
from recipes.pocket.examples.batches import BatchPlan, batches
from recipes.pocket.examples.color_removal import ColorRemover, own_colors
from recipes.pocket.networks import tokenize
from recipes.pocket.stages import unet
from recipes.pocket.stages.export import assemble
from recipes.pocket.stages.teacher import Teacher
from recipes.pocket.stages.text_encoder import load_text_encoder, load_tokenizer
from recipes.pocket.stages.training_run import StageOptions, TrainingRun

REMOVAL_SCALE: Final = 3.5
"""F in n = u + F (p - q). It exceeds 5/4, since the network learns a mean over all things in strong noise."""

_KEPT_WEIGHT: Final = 40.0
"""Weight of the loss on the states that must stay as they were."""

_SETTLING_RATE: Final = 3e-4

_FIRST_TIMESTEP: Final = 300
"""Least timestep, of 1000, in training. With less noise, colors no longer change."""

_EMPTY_ROWS: Final = 8
"""Rows of the empty prompt in each batch. Every picture depends on it, so its error weighs more."""


def train(options: StageOptions) -> None:
    """Run the stage: overwrite the folder `text_encoder`, and write sample sheets during the run.

    Args:
        options: its folder has `unet` of the stage `unet` and `text_encoder` of the stage `wording`.
    """
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.folder)
    teacher, student = Teacher(options), load_text_encoder(options.folder, options.device)
    empty = tokenize(tokenizer, [""]).to(options.device)
    run = TrainingRun("negatives", options, {"text_encoder": student}, {"text_encoder": 5e-4})

    def loss_of(pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        full, edited, negative, unrelated = tokens.unbind(1)
        count, kept = len(pictures), torch.cat([full, edited, unrelated, empty.expand(_EMPTY_ROWS, -1)])
        with torch.no_grad():
            states = teacher.text_encoder(kept).last_hidden_state
        of_captions = states[:count], states[count : 2 * count], states[-1:].expand(count, -1, -1)
        latents = teacher.latents(pictures)
        timesteps = unet.spread_timesteps(teacher.scheduler, latents, first=_FIRST_TIMESTEP)
        example = teacher.make_example(latents, timesteps, of_captions, scale=REMOVAL_SCALE)
        learnt = student(torch.cat([kept, negative])).last_hidden_state
        kept_loss = functional.mse_loss(learnt[: len(kept)], states)
        predicted = teacher.unet(example.noisy, example.timesteps, learnt[len(kept) :]).sample.float()
        return functional.mse_loss(predicted, example.target) + _KEPT_WEIGHT * kept_loss

    def sample(step: int) -> None:
        pipeline = assemble(options.folder, unet=teacher.unet, text_encoder=student)
        sheet(unet.draw(pipeline.to(options.device), unet.SAMPLE_PROMPTS)).save(
            options.folder / f"negatives-{step:06}.png"
        )

    plan = BatchPlan(size=options.batch, make_example=ColorRemover(own_colors(run.painter)).make_example)
    run.train(plan, tokenizer, loss_of, sample=sample, sample_every=max(500, options.steps // 5))
    with run.averaged():
        settled = settle(options, tokenizer, plan, old=teacher.text_encoder, new=student)
        settled.save_pretrained(options.folder / "text_encoder")


def settle(options: StageOptions, tokenizer: Any, plan: BatchPlan, *, old: Any, new: Any) -> Any:
    """Teach a copy of the encoder the new states of negative prompts and the old states of all other texts.

    The loss of the stage is a compromise between the two. Here both are learnt to the end, without pictures.

    Args:
        options: `steps` is the number of batches here too.
        tokenizer: a CLIP tokenizer.
        plan: the stage's.
        old: the encoder before the stage.
        new: the encoder after the stage.

    Returns:
        The copy.
    """
    student = copy.deepcopy(new).train()
    optimizer = torch.optim.AdamW(student.parameters(), _SETTLING_RATE, weight_decay=0.0)
    steps = max(2, options.steps)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _SETTLING_RATE, total_steps=steps, pct_start=0.1)
    empty = tokenize(tokenizer, [""]).to(options.device)
    feed = batches(plan, tokenizer, seed=options.seed + 1, first=0, last=steps, workers=options.workers)
    for batch in track(feed, description="settling", total=steps):
        full, edited, negative, unrelated = batch.tokens.to(options.device).unbind(1)
        kept = torch.cat([full, edited, unrelated, empty.expand(_EMPTY_ROWS, -1)])
        with torch.no_grad():
            targets = torch.cat([old(kept).last_hidden_state, new(negative).last_hidden_state])
        loss = functional.mse_loss(student(torch.cat([kept, negative])).last_hidden_state, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return student.eval()
