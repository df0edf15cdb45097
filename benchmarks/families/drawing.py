"""Draws one tiny family through the engine and says what is wrong."""

import io
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import torch
from PIL import Image, ImageChops
from torch import nn

from benchmarks.families.parts import save
from config.catalogue import load_catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.loop import Engine
from pipeline.engine.models.offering import check_models
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Cancel, Failed, Finished, JobEvent, Progress, Submit
from pipeline.protocol.wire.settings import EngineOptions
from tests.pipeline.engine.loaded import model_in

KEY: Final = "tiny"
SIDE: Final = 64
WIDER: Final = 128
STEPS: Final = 3
CFG: Final = 4.0
MOST_OFF: Final = 2
"""Greatest difference in a number of a pixel, of 255, between a picture alone and beside others."""
_DENOISERS: Final = ("transformer", "unet", "decoder")
_ENTRY: Final = """
[[model]]
key = "tiny"
title = "Tiny"
family = "pipeline"
license = "none"
source = { kind = "folder", path = "tiny" }
defaults = { sampler = "Model's own", width = 64, height = 64, cfg = 4.0 }
bounds = { min_side = 64 }
"""


class Verdict(msgspec.Struct, kw_only=True):
    """What was seen of one family.

    Attributes:
        failures: sentences about what does not work.
        silent: options that change nothing and of which nobody is told.
        told: options that change nothing, of which the requester is told.
    """

    failures: list[str] = msgspec.field(default_factory=list[str])
    silent: list[str] = msgspec.field(default_factory=list[str])
    told: list[str] = msgspec.field(default_factory=list[str])


class Stand:
    """An engine with one tiny family of a catalogue in a folder.

    Args:
        build: function that builds the family's pipeline.
        folder: empty folder for the catalogue and the model.
        call: table `[model.call]` of the entry; empty for none.

    Raises:
        ModelUnavailable: the engine does not offer the model.
    """

    def __init__(self, build: Callable[[], Any], folder: Path, call: str = "") -> None:
        folder.mkdir(exist_ok=True)
        save(build(), folder / KEY)
        (folder / "models.toml").write_text(_ENTRY + call, encoding="utf-8")
        offer = check_models(load_catalogue(folder / "models.toml", KEY).models.values(), None)
        self.missing = offer.missing.get(KEY, "")
        self.spec = offer.models[KEY]
        self.events: list[JobEvent] = []
        self.engine = Engine(
            models=offer.models,
            placement=choose_placement("cpu", "float32"),
            emit=self.events.append,
            activity=Activity(),
            options=EngineOptions(preview_interval_s=1e-9),
        )
        self.rows = 0
        """Rows that went through the denoiser since the last `draw` began."""

    def load(self) -> None:
        """Load the model, and count its forwards from then on.

        Raises:
            ModelUnavailable: the model cannot be loaded.
        """
        self.engine.preload(KEY)
        pipeline = model_in(self.engine, KEY).any_pipeline.pipeline
        for name, part in pipeline.components.items():
            if name in _DENOISERS and isinstance(part, nn.Module):
                part.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, module: nn.Module, given: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        del module
        for value in (*given, *named.values()):
            if isinstance(value, list):
                self.rows += len(value)
                return
            if isinstance(value, torch.Tensor) and value.dim() > 1:
                self.rows += len(value)
                return

    def request(self, **changes: Any) -> GenerationRequest:
        """A small request with these changes."""
        usual = self.spec.defaults
        plain = GenerationRequest(
            prompt="a star",
            negative_prompt="",
            num_inference_steps=STEPS,
            guidance_scale=min(CFG, usual.cfg),
            width=SIDE,
            height=SIDE,
            scheduler_name=usual.sampler,
            seed=7,
            num_images=1,
            model_key=KEY,
        )
        return msgspec.structs.replace(plain, **changes)

    def submit(self, request: GenerationRequest) -> None:
        """Submit it as the only job."""
        self.events.clear()
        self.rows = 0
        self.engine.submit(Submit(job_id=1, attempt=1, request=request))

    def end(self, request: GenerationRequest) -> Finished | Failed:
        """The last event of the request."""
        self.submit(request)
        background = self.engine._background  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - to wait for it
        while not self.engine.is_idle:
            self.engine.tick()
            # Steps of a tiny model are shorter than drawing a preview, so each waits for its preview.
            if background.is_busy:
                background.wait()
        (last,) = (event for event in self.events if isinstance(event, (Finished, Failed)))
        return last

    def draw(self, **changes: Any) -> Finished:
        """The finished request.

        Raises:
            RuntimeError: it failed.
        """
        end = self.end(self.request(**changes))
        if isinstance(end, Failed):
            raise RuntimeError(f"{end.reason}: {end.detail}")  # noqa: TRY004 - an event, and no argument
        return end


def pictures(finished: Finished) -> list[Image.Image]:
    """The pictures of a finished request."""
    return [Image.open(io.BytesIO(output.data)).convert("RGB") for output in finished.outputs]


def _off(one: Image.Image, other: Image.Image) -> int:
    """Greatest difference of two pictures of one size in a number of a pixel."""
    extremes: Any = ImageChops.difference(one, other).getextrema()
    return max(most for _, most in extremes)


def judge(build: Callable[[], Any]) -> Verdict:
    """Draw a family in every way of the benchmark."""
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        try:
            stand = Stand(build, Path(folder))
            if stand.missing:
                verdict.failures.append(stand.missing)
                return verdict
            stand.load()
            _judge(stand, verdict)
        # The table shows every family, whatever happened to one of them.
        except Exception as error:  # noqa: BLE001 - see above
            verdict.failures.append(f"{type(error).__name__}: {error}"[:300])
    return verdict


def _judge(stand: Stand, verdict: Verdict) -> None:
    base = stand.draw()
    previews = sum(1 for event in stand.events if isinstance(event, Progress) and event.preview)
    if not previews:
        verdict.failures.append("no preview")
    (picture,) = pictures(base)
    if pictures(stand.draw())[0].tobytes() != picture.tobytes():
        verdict.failures.append("the seed does not repeat")
    (other,) = pictures(stand.draw(seed=8))
    if other.tobytes() == picture.tobytes():
        verdict.failures.append("another seed changes nothing")
    if _off(pictures(stand.draw(num_images=2))[1], other) > MOST_OFF:
        verdict.failures.append("the second image is not that of its seed")
    _judge_options(stand, verdict, picture)
    _judge_passes(stand, verdict)
    _judge_cancel(stand, verdict)
    _judge_refusals(stand, verdict)


def _judge_options(stand: Stand, verdict: Verdict, picture: Image.Image) -> None:
    """Each option changes the picture, or the requester is told that it does not."""
    has = stand.spec.capabilities
    changes: dict[str, tuple[bool, str, dict[str, Any]]] = {
        "cfg": (Capability.GUIDANCE in has, "", {"guidance_scale": 9.0}),
        "negative": (
            Capability.NEGATIVE_PROMPT in has,
            "notice-negative-unused",
            {"negative_prompt": "rain and wind"},
        ),
        "steps": (True, "", {"num_inference_steps": STEPS + 1}),
        "size": (True, "notice-size-own", {"width": WIDER}),
    }
    for name, (can, notice, change) in changes.items():
        if not can:
            verdict.told.append(name)
            continue
        drawn = stand.draw(**change)
        (changed,) = pictures(drawn)
        size = (change.get("width", SIDE), SIDE)  # a size that is not told is the one that was asked for
        if any(told.key == notice for told in drawn.notices):
            verdict.told.append(name)
        elif changed.size != size or changed.tobytes() == picture.tobytes():
            verdict.silent.append(name)


def _judge_passes(stand: Stand, verdict: Verdict) -> None:
    """With CFG 1 one row goes through the denoiser in a step, where the class does not always guide."""
    stand.draw(guidance_scale=1.0)
    if stand.rows > STEPS and stand.spec.can(Capability.UNGUIDED):
        verdict.failures.append(f"CFG 1 takes {stand.rows} rows for {STEPS} steps")


def _judge_cancel(stand: Stand, verdict: Verdict) -> None:
    """A cancelled job computes nothing more after its present step."""
    stand.submit(stand.request(num_inference_steps=8))
    while not any(isinstance(event, Progress) and event.step for event in stand.events):
        if any(isinstance(event, (Finished, Failed)) for event in stand.events):
            verdict.failures.append("it cannot be cancelled before its end")
            return
        stand.engine.tick()
    before = stand.rows
    stand.engine.cancel(Cancel(job_id=1, attempt=1))
    stand.engine.run_until_idle()
    end = stand.events[-1]
    if not isinstance(end, Failed) or end.reason is not FailureReason.CANCELLED or stand.rows != before:
        verdict.failures.append("a cancelled job goes on")


def _judge_refusals(stand: Stand, verdict: Verdict) -> None:
    """What it cannot draw is refused with a sentence."""
    for name, change in {"65 px": {"width": SIDE + 1}, "60 steps": {"num_inference_steps": 60}}.items():
        end = stand.end(stand.request(**change))
        if isinstance(end, Failed) and end.reason is not FailureReason.INVALID_REQUEST:
            verdict.failures.append(f"{name} ends in {json.dumps(end.detail[:120])}")
