"""Prices and periods."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.quotas.rules import period_end, period_start, price
from config.catalogue import Catalogue
from config.settings import Period
from pipeline.protocol.requests import GenerationRequest

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("period", "now", "start", "end"),
    [
        (Period.HOUR, "2026-05-01T10:30+00:00", "2026-05-01T10:00+00:00", "2026-05-01T11:00+00:00"),
        (Period.DAY, "2026-05-01T10:30+00:00", "2026-05-01T00:00+02:00", "2026-05-02T00:00+02:00"),
        (Period.DAY, "2026-03-29T12:00+02:00", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
        (Period.DAY, "2026-10-25T12:00+01:00", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),
        (Period.WEEK, "2026-05-01T10:30+00:00", "2026-04-27T00:00+02:00", "2026-05-04T00:00+02:00"),
        (Period.MONTH, "2026-12-31T22:59+00:00", "2026-12-01T00:00+01:00", "2027-01-01T00:00+01:00"),
        (Period.MONTH, "2026-12-31T23:01+00:00", "2027-01-01T00:00+01:00", "2027-02-01T00:00+01:00"),
    ],
)
def test_periods_follow_the_clock_on_the_wall(period: Period, now: str, start: str, end: str) -> None:
    assert period_start(_time(now), period, "Europe/Berlin") == _time(start)
    assert period_end(_time(now), period, "Europe/Berlin") == _time(end)


@given(
    now=st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    period=st.sampled_from(Period),
    zone=st.sampled_from(ZONES),
)
def test_every_moment_is_in_exactly_one_period(now: datetime, period: Period, zone: str) -> None:
    start, end = period_start(now, period, zone), period_end(now, period, zone)
    assert start <= now < end
    assert period_start(start, period, zone) == start
    assert period_start(end, period, zone) == end


def test_a_default_image_costs_one_and_four_cost_four(catalogue: Catalogue, request_: GenerationRequest) -> None:
    defaults = catalogue.default.defaults
    one = msgspec.structs.replace(
        request_,
        num_inference_steps=defaults.steps,
        guidance_scale=defaults.cfg,
        scheduler_name=defaults.sampler,
    )
    four = msgspec.structs.replace(one, num_images=4)
    for pricing in ("flat", "work"):
        assert price(one, catalogue.default, pricing) == 1
        assert price(four, catalogue.default, pricing) == 4


@given(
    steps=st.integers(1, 49),
    side=st.sampled_from([64, 72, 96, 120]),
    guidance=st.floats(0, 29),
    sampler=st.sampled_from(["Euler", "Heun"]),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_more_never_costs_less(
    catalogue: Catalogue, request_: GenerationRequest, steps: int, side: int, guidance: float, sampler: str
) -> None:
    base = msgspec.structs.replace(
        request_, num_inference_steps=steps, width=side, guidance_scale=guidance, scheduler_name=sampler
    )
    more = [
        msgspec.structs.replace(base, num_inference_steps=steps + 1),
        msgspec.structs.replace(base, width=side + 8),
        msgspec.structs.replace(base, guidance_scale=guidance + 1),
        msgspec.structs.replace(base, num_images=base.num_images + 1),
        msgspec.structs.replace(base, scheduler_name="Heun"),
    ]
    for request in more:
        assert price(request, catalogue.default, "work") >= price(base, catalogue.default, "work")
