"""The stage `names`: a place's name alone, or a time's, becomes what takes the place or the time out of a picture.

The stage `negatives` leaves such a name a prompt. What takes the place away is predicted by the U-Net as it is, if it
gets the right states: n = u + F (p - q), as in that stage. They are learnt as textual inversion learns a word (Gal and
others 2022, arXiv:2208.01618): what a name adds to the state of its word, and to all behind the words. Then the
encoder learns to give them where a negative prompt says the name, and its old states for everything else.
"""

import copy
from typing import Any, Final

import torch
from rich.progress import track
from torch import nn
from torch.nn import functional

from recipes.pocket.drawing.sheets import sheet
from recipes.pocket.examples.batches import BatchPlan, batches
from recipes.pocket.examples.place_removal import NAMES, make_example
from recipes.pocket.networks import tokenize
from recipes.pocket.stages import unet
from recipes.pocket.stages.export import assemble
from recipes.pocket.stages.teacher import Teacher
from recipes.pocket.stages.text_encoder import load_tokenizer
from recipes.pocket.stages.training_run import StageOptions, TrainingRun

REMOVAL_SCALE: Final = 2.5
"""Twice the 5/4 that CFG 5 needs. In noise nobody sees what is there, so a mean is learnt that falls short."""

_LEARNING_RATE: Final = 3e-2
_SETTLING_RATE: Final = 5e-4

_KEPT: Final = 10.0
"""Weight of the states that have to stay as they were."""

_EMPTY: Final = 8
"""How often no words are among the captions of a batch: each fault there is in every picture."""

_SAMPLES: Final = (
    ("a cat on the beach", "beach"),
    ("a dog in the forest", "forest"),
    ("a car in the city", "city"),
    ("a cactus in a room", "room"),
    ("a tree in the snow", "snow"),
    ("a house in the city at night", "night"),
    ("a ship on the beach at sunset", "sunset"),
    ("a red apple", "beach"),
    ("a hat", "night"),
)
"""Prompts, and what is taken out of them; the last two have nothing of it."""


class NameStates(nn.Module):
    """What each name adds to other states: to that of its own word, and to all behind the words.

    It adds before the encoder's last normalization: the encoder can give no states but such as come from there.
    """

    tokens: torch.Tensor

    def __init__(self, words: Any, tokenizer: Any) -> None:
        """Begin with the states that an encoder has for the names.

        Args:
            words: the encoder.
            tokenizer: its own.
        """
        super().__init__()
        tokens = tokenize(tokenizer, ["", *NAMES]).to(words.device)
        self.normalize = copy.deepcopy(words.final_layer_norm).requires_grad_(requires_grad=False)
        self.register_buffer("tokens", tokens)
        with torch.no_grad():
            states, behind = self._normal(words(tokens).last_hidden_state), _behind(tokens)
        self.added = nn.Parameter((((states - states[:1]) * behind).sum(1) / behind.sum(1))[1:])
        self.own = nn.Parameter(torch.zeros_like(self.added))

    def _normal(self, states: torch.Tensor) -> torch.Tensor:
        """States without the normalization's own scale and shift."""
        return (states - self.normalize.bias) / self.normalize.weight

    def forward(self, said: torch.Tensor, rest: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """States [batch, 77, width] of negative prompts.

        Args:
            said: those that the encoder has for them, of the same shape.
            rest: those that it has for them without names.
            tokens: ids [batch, 1 + names, 77] of the negative prompts and of the names in each.
        """
        # The first is no name, and adds nothing.
        added = torch.cat([torch.zeros_like(self.added[:1]), self.added])
        which = (tokens[:, 1:, None] == self.tokens).all(-1).float().argmax(-1)
        # A name is one word, the first of what it says alone.
        is_own = (tokens[:, 0, :, None] == self.tokens[1:, 1]).float()
        at_words = self.normalize(self._normal(said) + is_own @ self.own)
        behind = self.normalize(self._normal(rest) + added[which].sum(1)[:, None])
        return torch.where(_behind(tokens[:, 0]), behind, at_words)


def _behind(tokens: torch.Tensor) -> torch.Tensor:
    """Which of the positions [batch, 77] come behind all words: [batch, 77, 1]; CLIP fills them with the last id."""
    return (tokens == tokens[:, -1:])[..., None]


def train(options: StageOptions) -> None:
    """Run the stage: write the folder `text_encoder` anew, and sample sheets on the way.

    Args:
        options: its folder holds `unet` as the stage of that name left it and `text_encoder` as `negatives` did.
    """
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.folder)
    teacher = Teacher(options)
    words, network = teacher.text_encoder, teacher.unet
    names = NameStates(words, tokenizer)
    run = TrainingRun("names", options, {"names": names}, {"names": _LEARNING_RATE})

    def loss_of(pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            states = words(tokens[:, [0, 1, 4, 5]].transpose(0, 1).flatten(0, 1)).last_hidden_state
        full, left, rest, name = states.chunk(4)
        # u is predicted from what else the negative prompt says, mostly from no words: names are to add to that.
        latents = teacher.latents(pictures)
        timesteps = unet.spread_timesteps(teacher.scheduler, latents)
        lesson = teacher.make_example(latents, timesteps, (full, left, rest), scale=REMOVAL_SCALE)
        predicted = network(lesson.noisy, lesson.timesteps, names(name, rest, tokens[:, [5, 5]])).sample.float()
        return functional.mse_loss(predicted, lesson.target)

    def sample(step: int) -> None:
        pipeline = assemble(options.folder, unet=network, text_encoder=words)
        prompts, taken = zip(*_SAMPLES, strict=True)
        tokens = tokenize(tokenizer, [*taken, *("" for _ in taken)]).to(options.device)
        said, rest = words(tokens).last_hidden_state.chunk(2)
        states = names(said, rest, tokens[: len(taken), None].expand(-1, 2, -1))
        drawn = [
            *unet.draw(pipeline.to(options.device), prompts),
            *unet.draw(pipeline, prompts, negative_prompt_embeds=states),
        ]
        sheet(drawn, columns=len(prompts)).save(options.folder / f"names-{step:06}.png")

    plan = BatchPlan(size=options.batch, make_example=make_example)
    run.train(plan, tokenizer, loss_of, sample=sample, sample_every=max(100, options.steps // 5))
    with run.averaged():
        settle(options, tokenizer, plan, words=words, names=names).save_pretrained(options.folder / "text_encoder")


def settle(options: StageOptions, tokenizer: Any, plan: BatchPlan, *, words: Any, names: NameStates) -> Any:
    """An encoder that gives negative prompts the states of their names, and everything else its old ones.

    Args:
        options: says how long: twice as many batches again.
        tokenizer: of CLIP's kind.
        plan: as the stage's.
        words: the encoder before the stage.
        names: as they were learnt.
    """
    student = copy.deepcopy(words).train().requires_grad_()
    optimizer = torch.optim.AdamW(student.parameters(), _SETTLING_RATE, weight_decay=0.0)
    steps = 2 * options.steps
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _SETTLING_RATE, total_steps=steps, pct_start=0.1)
    no_words = tokenize(tokenizer, [""]).to(options.device)
    missed = torch.zeros(options.batch)
    feed = batches(plan, tokenizer, seed=options.seed + 1, first=0, last=steps, workers=options.workers)
    for batch in track(feed, description="settling", total=steps):
        tokens = batch.tokens.to(options.device)
        row = torch.arange(len(tokens), device=tokens.device)
        # One of each row's prompts in turn.
        kept = torch.cat([tokens[row, row % 3], no_words.expand(_EMPTY, -1)])
        with torch.no_grad():
            said, rest = words(torch.cat([tokens[:, 3], tokens[:, 4]])).last_hidden_state.chunk(2)
            goals = torch.cat([words(kept).last_hidden_state, names(said, rest, tokens[:, [3, 5, 6]])])
        now = student(torch.cat([kept, tokens[:, 3]])).last_hidden_state
        apart = (now - goals).square().mean((1, 2))
        loss = _KEPT * apart[: len(kept)].mean() + apart[len(kept) :].mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        missed = apart.detach() / goals.var()
    parts = (float(part.mean()) for part in missed.tensor_split([-options.batch]))
    print("Of the states' variance, {:.4f} is missed of what has to stay and {:.4f} of what is new.".format(*parts))
    return student.eval()
