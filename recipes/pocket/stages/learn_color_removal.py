"""The stage `negatives`: the text encoder learns what a negative prompt has to take away, and what it has to leave.

Guidance draws `n + s (p - n)` (Ho and Salimans 2022, arXiv:2207.12598), where `p` is predicted from the prompt and `n`
from the negative prompt. What the stage `unet` leaves for `n` is a picture of the words alone: it disturbs what has
nothing to do with them, and 5 p - 4 n keeps the red of an apple, since no plain apple was ever seen in green. Here the
network is its own teacher. With `q` predicted from the caption without what the negative prompt names, and `u` from no
words, n = u + 5/4 (p - q) would make guidance at CFG 5 draw just what `q` draws: 5 p - 4 n = 5 q - 4 u. Where nothing
of it is in the picture, n = u.

The U-Net stays as it is, and so do the states of captions, of places alone and of things alone, so that what prompts
draw hardly changes. So this stage takes no places and things away: "beach" is a prompt, too.
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
"""Instead of 5/4. In noise nobody sees what the thing is, so what is learnt is a mean that falls short of each."""

_KEPT: Final = 40.0
"""Weight of the states that have to stay as they were."""

_SETTLING_RATE: Final = 3e-4

_FIRST_TIME: Final = 300
"""With less noise than at this time of a thousand, colors are settled."""

_EMPTY: Final = 8
"""How often no words are among the captions of a batch: each fault there is in every picture."""


def train(options: StageOptions) -> None:
    """Run the stage: write the folder `text_encoder` anew, and sample sheets on the way.

    Args:
        options: its folder holds `unet` as the stage of that name left it and `text_encoder` as `wording` did.
    """
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.folder)
    teacher, student = Teacher(options), load_text_encoder(options.folder, options.device)
    no_words = tokenize(tokenizer, [""]).to(options.device)
    run = TrainingRun("negatives", options, {"text_encoder": student}, {"text_encoder": 5e-4})

    def loss_of(pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        count, kept = len(pictures), torch.cat([*tokens[:, [0, 1, 3]].unbind(1), no_words.expand(_EMPTY, -1)])
        with torch.no_grad():
            states = teacher.text_encoder(kept).last_hidden_state
        told = states[:count], states[count : 2 * count], states[-1:].expand(count, -1, -1)
        latents = teacher.latents(pictures)
        timesteps = unet.spread_timesteps(teacher.scheduler, latents, first=_FIRST_TIME)
        lesson = teacher.make_example(latents, timesteps, told, scale=REMOVAL_SCALE)
        now = student(torch.cat([kept, tokens[:, 2]])).last_hidden_state
        same = functional.mse_loss(now[: len(kept)], states)
        predicted = teacher.unet(lesson.noisy, lesson.timesteps, now[len(kept) :]).sample.float()
        return functional.mse_loss(predicted, lesson.target) + _KEPT * same

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
    """An encoder with the new states of negative prompts and the old ones of everything else.

    Where the U-Net teaches, both give way a little. Here no picture is needed, so both are learnt to the end.

    Args:
        options: says how long: as many batches again.
        tokenizer: of CLIP's kind.
        plan: as the stage's.
        old: the encoder before the stage.
        new: the encoder after it.
    """
    student = copy.deepcopy(new).train()
    optimizer = torch.optim.AdamW(student.parameters(), _SETTLING_RATE, weight_decay=0.0)
    steps = max(2, options.steps)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _SETTLING_RATE, total_steps=steps, pct_start=0.1)
    no_words = tokenize(tokenizer, [""]).to(options.device)
    feed = batches(plan, tokenizer, seed=options.seed + 1, first=0, last=steps, workers=options.workers)
    for batch in track(feed, description="settling", total=steps):
        tokens = batch.tokens.to(options.device)
        kept = torch.cat([*tokens[:, [0, 1, 3]].unbind(1), no_words.expand(_EMPTY, -1)])
        with torch.no_grad():
            goals = torch.cat([old(kept).last_hidden_state, new(tokens[:, 2]).last_hidden_state])
        loss = functional.mse_loss(student(torch.cat([kept, tokens[:, 2]])).last_hidden_state, goals)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return student.eval()
