"""One word of experience about numbers that are allowed and seldom do what is hoped for."""

from typing import Final

from bot.store.rows import Preferences
from pipeline.protocol.messages import Notice
from pipeline.protocol.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest

_USUAL_CFG: Final = (3.0, 15.0)
_USUAL_STEPS: Final = (8, 50)
_NO_GUIDANCE: Final = 1.0


def advice(typed: Preferences, request: GenerationRequest, spec: ModelSpec) -> Notice | None:
    """What helps most, if anything: about what the member typed themselves, never about an owner's own defaults.

    A model whose default lies outside the usual (a distilled one draws in 4 steps at CFG 1) gets no advice there.
    """
    cfg, steps = request.guidance_scale, request.num_inference_steps
    if typed.negative_prompt and cfg <= _NO_GUIDANCE:
        return Notice(key="notice-advice-negative", values={"cfg": f"{cfg:g}"})
    if typed.guidance_scale == cfg and _is_usual(spec.defaults.cfg, _USUAL_CFG):
        if cfg < _USUAL_CFG[0]:
            return Notice(key="notice-advice-cfg-low", values={"cfg": f"{cfg:g}"})
        if cfg > _USUAL_CFG[1]:
            return Notice(key="notice-advice-cfg-high", values={"cfg": f"{cfg:g}"})
    if typed.num_inference_steps == steps and _is_usual(spec.defaults.steps, _USUAL_STEPS):
        if steps < _USUAL_STEPS[0]:
            return Notice(key="notice-advice-steps-few", values={"usual": spec.defaults.steps})
        if steps > _USUAL_STEPS[1]:
            return Notice(key="notice-advice-steps-many", values={"usual": spec.defaults.steps})
    return None


def _is_usual(value: float, span: tuple[float, float]) -> bool:
    return span[0] <= value <= span[1]
