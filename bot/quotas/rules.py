"""What a job costs and when a period begins: pure functions of the request, the catalogue and the time."""

import math
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from config.settings import Period
from pipeline.protocol.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import SAMPLERS

_REFERENCE_PIXELS: Final = 512 * 512
_LINEAR: Final = 0.6815
_QUADRATIC: Final = 0.1215
_DECODE: Final = 2.51
_MONTHS: Final = 12


def price(request: GenerationRequest, spec: ModelSpec, pricing: Literal["flat", "work"]) -> int:
    """Units that a job costs; the same request costs the same at any time.

    `flat` is one an image. `work` compares with one image of the model's defaults: images x (rows x evaluations
    x U(P) + D(P)), rounded up once. U and D are TFLOP of Stable Diffusion 1.5's U-Net row and decoder as counted
    with torch's FlopCounterMode at 256 to 1,024 pixels: U(P) = 0.6815 P + 0.1215 P^2, D(P) = 2.51 P, with
    P = pixels / 512^2. A row is the prompt's; with guidance above 1 the negative prompt has one too.
    """
    if pricing == "flat":
        return request.num_images
    defaults = spec.defaults
    one = _work(
        steps=defaults.steps,
        guidance_scale=defaults.cfg,
        pixels=defaults.width * defaults.height,
        scheduler_name=defaults.sampler,
    )
    asked = _work(
        steps=request.num_inference_steps,
        guidance_scale=request.guidance_scale,
        pixels=request.width * request.height,
        scheduler_name=request.scheduler_name,
    )
    # The tiny allowance keeps one default image at one unit whatever the rounding of the quotient.
    return max(1, math.ceil(request.num_images * asked / one - 1e-9))


def _work(*, steps: int, guidance_scale: float, pixels: int, scheduler_name: str) -> float:
    """TFLOP of one image, in the scale of Stable Diffusion 1.5."""
    p = pixels / _REFERENCE_PIXELS
    rows = 1 if guidance_scale <= 1 else 2
    evaluations = SAMPLERS[scheduler_name].evaluations(steps)
    return rows * evaluations * (_LINEAR * p + _QUADRATIC * p * p) + _DECODE * p


def period_start(now: datetime, period: Period, time_zone: str) -> datetime:
    """When the running period began, in UTC; days, weeks (from Monday) and months as people there count."""
    local = now.astimezone(ZoneInfo(time_zone))
    if period is Period.HOUR:
        # By the clock of the zone, but counted in UTC: an hour exists twice when summer ends.
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return (now - past).astimezone(UTC)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period is Period.WEEK:
        midnight -= timedelta(days=midnight.weekday())
    elif period is Period.MONTH:
        midnight = midnight.replace(day=1)
    return midnight.astimezone(UTC)


def period_end(now: datetime, period: Period, time_zone: str) -> datetime:
    """When the next period begins, in UTC."""
    start = period_start(now, period, time_zone)
    if period is Period.HOUR:
        return start + timedelta(hours=1)
    local = start.astimezone(ZoneInfo(time_zone))
    if period is Period.DAY:
        following = local + timedelta(days=1)
    elif period is Period.WEEK:
        following = local + timedelta(days=7)
    else:
        following = local.replace(year=local.year + local.month // _MONTHS, month=local.month % _MONTHS + 1)
    return following.replace(fold=0).astimezone(UTC)
