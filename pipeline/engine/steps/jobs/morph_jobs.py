"""Jobs that draw a morph: pictures between two pictures, a few in each round.

The places of a round follow from the pictures of those before it. Most change of a morph sits in a small part of the
way; so the largest gaps are halved until the frames are used up, and the steps that one sees become even.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
import torch
from PIL import Image

from pipeline.engine.families.base import Conditioning, EncodedConcept, EncodedText, TimedConditioning
from pipeline.engine.sampling.latents import first_noise, generators_for, slerp
from pipeline.engine.sampling.schedulers import first_latents
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.protocol.passes import MORPH_KEYS, MORPH_ROUND, Pass
from pipeline.protocol.requests import GenerationRequest, MorphRequest, narrowed

_KEYS: Final = tuple(key / (MORPH_KEYS - 1) for key in range(MORPH_KEYS))


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class MorphEnd:
    """The picture at one end.

    Attributes:
        request: the request that draws it.
        text: its conditioning, as that request has it.
        padded: its conditioning with as many tokens as that of the other end.
    """

    request: GenerationRequest
    text: EncodedText
    padded: EncodedText


@dataclass(slots=True, kw_only=True, eq=False)
class MorphJob(DenoisingJob):
    """A morph; its images are the frames of the present round.

    Attributes:
        ends: the pictures at place 0 and at place 1.
        places: places of the present round's images, from 0 to 1.
        first_places: places of the first rounds, whose pictures nothing decides.
        drawn: finished frames by their places.
        rounds_done: number of finished rounds.
    """

    ends: tuple[MorphEnd, ...] = ()
    places: Sequence[float] = ()
    first_places: list[tuple[float, ...]] = field(default_factory=list[tuple[float, ...]])
    drawn: dict[float, Image.Image] = field(default_factory=dict[float, Image.Image])
    rounds_done: int = 0

    @property
    def frames(self) -> int:
        """Number of frames."""
        return narrowed(self.request, MorphRequest).frames

    @property
    def next_pass(self) -> Pass | None:
        """The pass of the next round; None in the last round."""
        return self.passes[0] if len(self.drawn) + len(self.places) < self.frames else None

    @property
    def total_steps(self) -> int:
        """Number of steps in all rounds."""
        left = self.frames - len(self.drawn) - sum(map(len, (self.places, *self.first_places)))
        rounds = self.rounds_done + 1 + len(self.first_places) + -(-left // MORPH_ROUND)
        return rounds * self.passes[0].steps

    @property
    def steps_done(self) -> int:
        """Number of finished steps."""
        done = max(0, self.evaluation - self.first_evaluation)
        in_round = min(self.passes[0].steps, -(-done // self.sampler.evaluations_per_step))
        return self.rounds_done * self.passes[0].steps + in_round

    def begin(self, ends: tuple[MorphEnd, MorphEnd]) -> None:
        """Begin the first round. Ends whose texts differ in length have rounds of their own, each with its own text.

        Padding would change their bits, and a forward pass has texts of one length.
        """
        self.ends = ends
        is_even = _shapes(ends[0].text) == _shapes(ends[1].text)
        self.first_places = [_KEYS] if is_even else [_KEYS[:1], _KEYS[-1:], _KEYS[1:-1]]
        self._begin_round(self.first_places.pop(0))

    def begin_next(self, frames: Sequence[Image.Image]) -> None:
        """Keep the frames of the finished round, and begin the next one."""
        self.keep(frames)
        self.rounds_done += 1
        left = min(MORPH_ROUND, self.frames - len(self.drawn))
        self._begin_round(self.first_places.pop(0) if self.first_places else halved(self.drawn, left))

    def keep(self, frames: Sequence[Image.Image]) -> None:
        """Keep the frames of the finished round."""
        self.drawn |= dict(zip(self.places, frames, strict=True))
        self.places = ()

    def _begin_round(self, places: Sequence[float]) -> None:
        adapter, shape = self.model.adapter, (1, *self.latents.shape[1:])
        self.places = places
        self.own_texts = tuple(self._text_at(place) for place in places)
        self.text = self.own_texts[0]
        drawn = [self._noise_at(place, shape) for place in places]
        self.generators = [generator for _, generator in drawn]
        self.scheduler = adapter.build_scheduler(self.sampler, self.passes[0], self.generators)
        self.latents = first_latents(self.scheduler, torch.cat([noise for noise, _ in drawn]))
        self.evaluation = self.first_evaluation
        self.prediction = self.model_input = None

    def _text_at(self, place: float) -> EncodedText:
        start, end = self.ends
        if place in (0.0, 1.0):
            return start.text if place == 0.0 else end.text
        return between(start.padded, end.padded, place)

    def _noise_at(self, place: float, shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Generator]:
        """Noise of one frame, [1, c, h, w], and the generator for noise in its steps."""
        start, end = (self._first_noise(each, shape) for each in self.ends)
        if place == 1.0:
            return end
        # From the start's own generator: noise in the steps is then the same in all frames.
        return slerp(start[0], end[0], place), start[1]

    def _first_noise(self, end: MorphEnd, shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Generator]:
        generators = generators_for(end.request)
        return first_noise(end.request, shape, generators, self.latents.device, self.latents.dtype), generators[0]


def halved(drawn: Mapping[float, Image.Image], count: int) -> list[float]:
    """Places that halve the largest gaps between neighbours; a gap that is halved counts as two of half its size."""
    places = sorted(drawn)
    gaps = [(distance(drawn[one], drawn[other]), one, other) for one, other in itertools.pairwise(places)]
    found: list[float] = []
    for _ in range(count):
        size, one, other = max(gaps, key=lambda gap: (gap[0], gap[2] - gap[1], -gap[1]))
        middle = (one + other) / 2
        found.append(middle)
        gaps.remove((size, one, other))
        gaps += [(size / 2, one, middle), (size / 2, middle, other)]
    return sorted(found)


def distance(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures of one size are apart: the root of the mean squared difference, in grey levels."""
    difference = np.asarray(one, dtype=np.float32) - np.asarray(other, dtype=np.float32)
    return float(np.sqrt(np.square(difference).mean()))


def padded(text: EncodedText, tokens: int, empty: Conditioning) -> EncodedText:
    """A text with empty chunks at its end, as a longer text beside it would give it."""

    def longer(timed: TimedConditioning) -> TimedConditioning:
        return TimedConditioning(tuple((last, _longer(found, tokens, empty)) for last, found in timed.parts))

    return msgspec.structs.replace(
        text,
        concepts=tuple(EncodedConcept(longer(each.conditioning), each.weight) for each in text.concepts),
        negative=None if text.negative is None else longer(text.negative),
    )


def _longer(found: Conditioning, tokens: int, empty: Conditioning) -> Conditioning:
    name = "prompt_embeds"
    missing = tokens - found[name].shape[1]
    chunk = empty[name]
    return {**found, name: torch.cat([found[name], *[chunk] * (missing // chunk.shape[1])], dim=1)}


def between(start: EncodedText, end: EncodedText, place: float) -> EncodedText:
    """The text at a place between two, token by token; both have one concept of equal shapes."""
    timed = _timed_between(start.positive, end.positive, place)
    weight = start.weights[0] + place * (end.weights[0] - start.weights[0])
    negative = None
    if start.negative is not None and end.negative is not None:
        negative = _timed_between(start.negative, end.negative, place)
    return msgspec.structs.replace(
        start,
        concepts=(EncodedConcept(timed, weight),),
        negative=negative,
        notices=(*start.notices, *(notice for notice in end.notices if notice not in start.notices)),
        embedding_digests={**start.embedding_digests, **end.embedding_digests},
    )


def _timed_between(start: TimedConditioning, end: TimedConditioning, place: float) -> TimedConditioning:
    lasts = sorted({last for each in (start, end) for last, _ in each.parts})
    return TimedConditioning(tuple((last, _lerp(start.at(last), end.at(last), place)) for last in lasts))


def _lerp(start: Conditioning, end: Conditioning, place: float) -> Conditioning:
    return {
        name: one if one.equal(end[name]) else torch.lerp(one, end[name].to(one), place) for name, one in start.items()
    }


def _shapes(text: EncodedText) -> list[tuple[str, tuple[int, ...]]]:
    return sorted((name, tuple(tensor.shape)) for name, tensor in text.positive.at(1).items())
