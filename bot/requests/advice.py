"""Advice about allowed values that rarely give the wanted result."""

from typing import Final

from bot.store.rows.preferences import Preferences
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.limits import NO_GUIDANCE
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice

_USUAL_CFG: Final = (3.0, 15.0)
_USUAL_STEPS: Final = (8, 50)


def advice(typed: Preferences, request: GenerationRequest, spec: ModelSpec) -> Notice | None:
    """The most useful advice, if any. It concerns only values that the member typed, never an owner's defaults.

    If a model's own default is unusual, its option gets no advice: a distilled model draws in 4 steps at CFG 1.
    """
    cfg, steps = request.guidance_scale, request.num_inference_steps
    if typed.negative_prompt and cfg <= NO_GUIDANCE:
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
