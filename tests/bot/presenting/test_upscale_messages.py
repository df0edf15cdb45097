"""The messages of an enlarged picture."""

import msgspec
import pytest
from discord import ui

from bot.jobs.kinds import ended, kind_of, workload_of
from bot.presenting.jobs.job_message import Allowance, Prospect
from bot.presenting.jobs.output_files import ShownOutput
from bot.quotas.pricing import upscale_price
from bot.store.rows.jobs import Job, JobStatus
from bot.store.rows.origin import Lineage, StartedBy
from bot.store.timings import Workload
from config.catalogue import Catalogue
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import UpscaleRequest
from tests.bot.presenting.jobs.test_job_message import texts
from tests.example_jobs import example_job, from_elsewhere

REQUEST = UpscaleRequest(
    scale=4, width=300, height=200, model_key="gone", inputs=(Input(role=InputRole.SOURCE, sha256="ab"),)
)


@pytest.fixture
def enlarged(catalogue: Catalogue) -> Job:
    key = next(iter(catalogue.upscalers))
    return from_elsewhere(example_job(msgspec.structs.replace(REQUEST, model_key=key)), started_by=StartedBy.ENLARGE)


def said(view: ui.LayoutView) -> str:
    return "\n".join(texts(view)).replace("\\", "")


def test_every_state_speaks_of_enlarging(enlarged: Job, catalogue: Catalogue) -> None:
    kind = kind_of(enlarged.request)
    head = "**A picture**\n-# Made larger for <@42>"
    assert said(kind.queued(enlarged, Prospect(position=1, starts_at=None))) == (
        f"{head}\nNext in line.\n-# Costs 4, and nothing if it does not arrive."
    )
    running = kind.running(enlarged, step=40, total_steps=100, ends_at=None, preview_name=None)
    assert said(running) == f"{head}\nMaking it larger: 40 %."
    output = ShownOutput(index=0, file_name="easel-7-1.png", data=b"", sides=(1_200, 800))
    spec = catalogue.entries[enlarged.request.model_key]
    done = kind.done(enlarged, outputs=(output,), spec=spec, allowance=Allowance(left=3))
    assert said(done) == f"{head}\n-# 300×200 → 1200×800 · Real-ESRGAN, small · 1.2 s · cost 4, 3 left"
    assert "easel:remix:7" in str(done.to_components())
    assert "easel:vary" not in str(done.to_components()), "there are no words to draw it from"
    with_words = msgspec.structs.replace(enlarged, request=msgspec.structs.replace(enlarged.request, prompt="a star"))
    done = kind.done(with_words, outputs=(output,), spec=spec, allowance=Allowance(left=3))
    assert "easel:vary-subtle:7" in str(done.to_components())
    assert "easel:star:7" in str(done.to_components())


def test_its_details_name_upscaler_licence_and_weights(enlarged: Job, catalogue: Catalogue) -> None:
    spec = catalogue.entries[enlarged.request.model_key]
    view, files = kind_of(enlarged.request).details(enlarged, spec, [])
    assert files == []
    assert "Upscaler: Real-ESRGAN, small (BSD-3-Clause)" in said(view)
    assert "Made 4 times larger, from 300×200 to 1200×800" in said(view)
    gone, _ = kind_of(enlarged.request).details(enlarged, None, [])
    assert "not offered any more" in said(gone)


def test_one_of_ours_shows_its_words_and_where_it_comes_from(enlarged: Job) -> None:
    ours = msgspec.structs.replace(enlarged, request=msgspec.structs.replace(REQUEST, prompt="a red apple"))
    lineage = Lineage(parent_job_id=3, parent_message_id=4)
    ours = from_elsewhere(ours, started_by=StartedBy.UPSCALE, lineage=lineage)
    assert said(kind_of(ours.request).queued(ours, Prospect(position=1, starts_at=None))).startswith(
        "**a red apple**\n-# Upscale of "
    )


def test_a_failed_one_can_be_tried_again_and_not_remixed(enlarged: Job) -> None:
    buttons = str(ended(msgspec.structs.replace(enlarged, status=JobStatus.FAILED)).to_components())
    assert "easel:retry:7" in buttons
    assert "remix" not in buttons


def test_it_costs_the_work_of_its_network_and_its_time_grows_with_the_given_pixels(catalogue: Catalogue) -> None:
    (spec,) = catalogue.upscalers.values()
    default = catalogue.default
    assert upscale_price(REQUEST, spec, default, "flat") == 1
    small, large = (msgspec.structs.replace(REQUEST, scale=scale) for scale in (2, 4))
    assert [upscale_price(each, spec, default, "work") for each in (small, large)] == [2, 2]
    twice = msgspec.structs.replace(spec, scale=2, cost=10 * spec.cost)
    # 60,000 pixels become 240,000 and then 960,000.
    assert (spec.made_pixels(60_000, 2), twice.made_pixels(60_000, 4)) == (960_000, 1_200_000)
    assert upscale_price(large, twice, default, "work") > upscale_price(small, twice, default, "work")
    huge = msgspec.structs.replace(REQUEST, width=1_024, height=1_024)
    assert upscale_price(huge, spec, default, "work") == 35
    assert upscale_price(msgspec.structs.replace(huge, faces="net"), spec, default, "work") > 35
    assert workload_of(REQUEST) == Workload(kind="upscale", model_key="gone", size=300 * 200, rows=1, outputs=1)
