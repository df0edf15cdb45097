"""The messages of a cutout."""

import msgspec
import pytest

from bot.jobs.kinds import ended, kind_of
from bot.presenting.jobs.job_message import Allowance, Prospect
from bot.presenting.jobs.output_files import ShownOutput
from bot.quotas.pricing import cutout_price
from bot.store.rows.jobs import Job, JobStatus
from bot.store.rows.origin import StartedBy
from config.catalogue import Catalogue
from pipeline.protocol.catalogue.networks import CutoutSpec
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import CutoutRequest
from tests.bot.presenting.test_upscale_messages import said
from tests.example_jobs import example_job, from_elsewhere

SPEC = CutoutSpec(key="red", title="Red", path="red.onnx", license="MIT", family="u2net")
REQUEST = CutoutRequest(width=300, height=200, model_key="red", inputs=(Input(role=InputRole.SOURCE, sha256="ab"),))


@pytest.fixture
def cut() -> Job:
    return from_elsewhere(example_job(REQUEST), started_by=StartedBy.CUTOUT)


def test_every_state_speaks_of_cutting(cut: Job) -> None:
    kind = kind_of(cut.request)
    head = "**A picture**\n-# Cut out for <@42>"
    assert said(kind.queued(cut, Prospect(position=1, starts_at=None))).startswith(f"{head}\nNext in line.")
    running = kind.running(cut, step=0, total_steps=1, ends_at=None, preview_name=None)
    assert said(running) == f"{head}\nFinding the foreground."
    output = ShownOutput(index=0, file_name="easel-7-1.png", data=b"", sides=(300, 200))
    done = kind.done(cut, outputs=(output,), spec=SPEC, allowance=Allowance(left=3))
    assert said(done) == f"{head}\n-# 300×200, background transparent · Red · 1.2 s · cost 4, 3 left"
    assert "easel:star:7" in str(done.to_components())
    view, files = kind.details(cut, SPEC, [])
    assert files == []
    assert "Background removed with Red (MIT)" in said(view)
    assert "not offered any more" in said(kind.details(cut, None, [])[0])
    buttons = str(ended(msgspec.structs.replace(cut, status=JobStatus.FAILED)).to_components())
    assert "easel:retry:7" in buttons
    assert "remix" not in buttons


def test_it_costs_the_work_of_its_network(catalogue: Catalogue) -> None:
    prices = [
        cutout_price(REQUEST, msgspec.structs.replace(SPEC, cost=cost), catalogue.default, "work")
        for cost in (1e-9, 1.0, 10.0)
    ]
    assert prices[0] == 1
    assert prices[0] < prices[1] < prices[2] <= 10 * prices[1]
    assert cutout_price(REQUEST, SPEC, catalogue.default, "flat") == 1
