"""The stage `names`: the bare name of a place or a time, as a negative prompt, removes that place or time.

The stage `negatives` leaves such a name as a prompt. The frozen U-Net predicts n = u + F (p - q), the target of that
stage, if it gets the right states. The stage learns them as textual inversion learns a word (Gal and others 2022,
arXiv:2208.01618): each name adds one vector to the state of its word, and one vector to all states after the words.
Then the encoder learns to give these states for negative prompts with the name, and its old states for other texts.
"""

import copy
from typing import Any, Final

import torch
from rich.progress import track
from torch import nn
from torch.nn import functional

from recipes.pocket.drawing.sheets import sheet
from recipes.pocket.examples.batches import BatchPlan, batches
from recipes.pocket.examples.place_removal import NAMES, PlaceCaptions, make_example
from recipes.pocket.networks import tokenize
from recipes.pocket.stages import unet
from recipes.pocket.stages.export import assemble
from recipes.pocket.stages.teacher import Teacher
from recipes.pocket.stages.text_encoder import load_tokenizer
from recipes.pocket.stages.training_run import StageOptions, TrainingRun

REMOVAL_SCALE: Final = 2.5
"""F in n = u + F (p - q): twice the 5/4 of CFG 5, since the network learns a mean over all scenes in strong noise."""

_FULL, _EDITED, _, _NEGATIVE, _REST, _NAME, _SECOND_NAME = range(len(PlaceCaptions._fields))
"""Indices of the captions in a batch."""

_LEARNING_RATE: Final = 3e-2
_SETTLING_RATE: Final = 5e-4

_KEPT_WEIGHT: Final = 10.0
"""Weight of the loss on the states that must stay as they were."""

_EMPTY_ROWS: Final = 8
"""Rows of the empty prompt in each batch. Every picture depends on it, so its error weighs more."""

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
"""Prompts and negative prompts of the sample sheets. The last two negative prompts name nothing in the picture."""


class NameStates(nn.Module):
    """The vectors that each name adds to the state of its own word and to all states after the words.

    They are added before the encoder's last normalization: the encoder can reach no other states.
    """

    tokens: torch.Tensor

    def __init__(self, encoder: Any, tokenizer: Any) -> None:
        """Begin with an encoder's own states of the names.

        Args:
            encoder: the text encoder.
            tokenizer: its tokenizer.
        """
        super().__init__()
        tokens = tokenize(tokenizer, ["", *NAMES]).to(encoder.device)
        self.normalize = copy.deepcopy(encoder.final_layer_norm).requires_grad_(requires_grad=False)
        self.register_buffer("tokens", tokens)
        with torch.no_grad():
            states, after = self._before_affine(encoder(tokens).last_hidden_state), _after_words(tokens)
        self.added = nn.Parameter((((states - states[:1]) * after).sum(1) / after.sum(1))[1:])
        self.own = nn.Parameter(torch.zeros_like(self.added))

    def _before_affine(self, states: torch.Tensor) -> torch.Tensor:
        """States without the scale and shift of the normalization."""
        return (states - self.normalize.bias) / self.normalize.weight

    def forward(self, negative: torch.Tensor, rest: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """States [batch, 77, width] of negative prompts, with the vectors of their names.

        Args:
            negative: the encoder's states of the negative prompts, of the same shape.
            rest: the encoder's states of the negative prompts without their names, of the same shape.
            tokens: ids [batch, 1 + names, 77] of the negative prompts and of the names in each.
        """
        # The empty name comes first and adds nothing.
        added = torch.cat([torch.zeros_like(self.added[:1]), self.added])
        which = (tokens[:, 1:, None] == self.tokens).all(-1).float().argmax(-1)
        # Each name is a single token, the first after the start token.
        is_own = (tokens[:, 0, :, None] == self.tokens[1:, 1]).float()
        at_words = self.normalize(self._before_affine(negative) + is_own @ self.own)
        after = self.normalize(self._before_affine(rest) + added[which].sum(1)[:, None])
        return torch.where(_after_words(tokens[:, 0]), after, at_words)


def _after_words(tokens: torch.Tensor) -> torch.Tensor:
    """Mask [batch, 77, 1] of the positions after all words. The tokenizer fills them with the end token."""
    return (tokens == tokens[:, -1:])[..., None]


def train(options: StageOptions) -> None:
    """Run the stage: overwrite the folder `text_encoder`, and write sample sheets during the run.

    Args:
        options: its folder has `unet` of the stage `unet` and `text_encoder` of the stage `negatives`.
    """
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.folder)
    teacher = Teacher(options)
    encoder, network = teacher.text_encoder, teacher.unet
    names = NameStates(encoder, tokenizer)
    run = TrainingRun("names", options, {"names": names}, {"names": _LEARNING_RATE})

    def loss_of(pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            texts = torch.cat([tokens[:, index] for index in (_FULL, _EDITED, _REST, _NAME)])
            full, edited, rest, name = encoder(texts).last_hidden_state.chunk(4)
        # u is the prediction for the rest of the negative prompt, which is empty in most examples: names add to it.
        latents = teacher.latents(pictures)
        timesteps = unet.spread_timesteps(teacher.scheduler, latents)
        example = teacher.make_example(latents, timesteps, (full, edited, rest), scale=REMOVAL_SCALE)
        predicted = network(
            example.noisy, example.timesteps, names(name, rest, tokens[:, [_NAME, _NAME]])
        ).sample.float()
        return functional.mse_loss(predicted, example.target)

    def sample(step: int) -> None:
        pipeline = assemble(options.folder, unet=network, text_encoder=encoder)
        prompts, negatives = zip(*_SAMPLES, strict=True)
        tokens = tokenize(tokenizer, [*negatives, *("" for _ in negatives)]).to(options.device)
        negative, rest = encoder(tokens).last_hidden_state.chunk(2)
        states = names(negative, rest, tokens[: len(negatives), None].expand(-1, 2, -1))
        drawn = [
            *unet.draw(pipeline.to(options.device), prompts),
            *unet.draw(pipeline, prompts, negative_prompt_embeds=states),
        ]
        sheet(drawn, columns=len(prompts)).save(options.folder / f"names-{step:06}.png")

    plan = BatchPlan(size=options.batch, make_example=make_example)
    run.train(plan, tokenizer, loss_of, sample=sample, sample_every=max(100, options.steps // 5))
    with run.averaged():
        settle(options, tokenizer, plan, encoder=encoder, names=names).save_pretrained(options.folder / "text_encoder")


def settle(options: StageOptions, tokenizer: Any, plan: BatchPlan, *, encoder: Any, names: NameStates) -> Any:
    """Teach a copy of the encoder the new states of negative prompts and the old states of all other texts.

    Args:
        options: twice its `steps` is the number of batches here.
        tokenizer: a CLIP tokenizer.
        plan: the stage's.
        encoder: the encoder before the stage.
        names: the learnt states of the names.

    Returns:
        The copy.
    """
    student = copy.deepcopy(encoder).train().requires_grad_()
    optimizer = torch.optim.AdamW(student.parameters(), _SETTLING_RATE, weight_decay=0.0)
    steps = 2 * options.steps
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _SETTLING_RATE, total_steps=steps, pct_start=0.1)
    empty = tokenize(tokenizer, [""]).to(options.device)
    missed = torch.zeros(options.batch)
    feed = batches(plan, tokenizer, seed=options.seed + 1, first=0, last=steps, workers=options.workers)
    for batch in track(feed, description="settling", total=steps):
        tokens = batch.tokens.to(options.device)
        row = torch.arange(len(tokens), device=tokens.device)
        # Each row keeps one of its first three texts, in turn: full, edited or unrelated.
        kept = torch.cat([tokens[row, row % 3], empty.expand(_EMPTY_ROWS, -1)])
        with torch.no_grad():
            negative, rest = encoder(torch.cat([tokens[:, _NEGATIVE], tokens[:, _REST]])).last_hidden_state.chunk(2)
            named = names(negative, rest, tokens[:, [_NEGATIVE, _NAME, _SECOND_NAME]])
            targets = torch.cat([encoder(kept).last_hidden_state, named])
        learnt = student(torch.cat([kept, tokens[:, _NEGATIVE]])).last_hidden_state
        errors = (learnt - targets).square().mean((1, 2))
        loss = _KEPT_WEIGHT * errors[: len(kept)].mean() + errors[len(kept) :].mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        missed = errors.detach() / targets.var()
    parts = (float(part.mean()) for part in missed.tensor_split([-options.batch]))
    print("Missed part of the variance: {:.4f} of the old states, {:.4f} of the new ones.".format(*parts))
    return student.eval()
