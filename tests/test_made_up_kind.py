"""A made-up kind of work: a request, an output, a row of the table and its messages, and everything else knows it.

The lines are added to a copy of Easel. A process of its own runs jobs of the kind there (`tests/kind_life.py`).
"""

from typing import Any, Final

import pytest

from tests.patched_copy import patched_copy, told_by

REQUEST: Final = '''

class DescribeRequest(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="describe"
):
    """Answers in words."""

    prompt: Annotated[str, _WORDS]
    secret: Annotated[str, Fact(is_private=True)]
    tone: Annotated[str, Fact(is_private=False)]
    answers: Annotated[int, Fact(lowest=1, highest=4)]
    model_key: Annotated[str, Fact(is_private=False)]
    inputs: Annotated[tuple[Input, ...], Fact(lowest=0, highest=0, is_private=True)] = ()

    @property
    def output_count(self) -> int:
        """Number of requested answers."""
        return self.answers
'''
LAST_FIELD: Final = "    fingerprint: Fingerprint | None = None\n    rating: Rating = Rating.HARMLESS\n"
OUTPUT: Final = '''

class TextFile(OutputFile, frozen=True, kw_only=True, tag="text"):
    """One text."""
'''
ROW: Final = """        DescribeRequest: Kind[DescribeRequest](
            is_checked=False,
            running=descriptions.running,
            done=descriptions.done,
            details=descriptions.details,
            price=lambda request, *_: 3 * request.answers,
            rows=lambda request: request.answers,
        ),
"""
LINES: Final = (
    (
        "pipeline/protocol/requests.py",
        "        return msgspec.structs.replace(self, variations=(*self.variations[:-1], last), num_images=1)\n",
        REQUEST,
    ),
    ("pipeline/protocol/requests.py", "Request: TypeAlias = GenerationRequest", " | DescribeRequest"),
    ("pipeline/protocol/wire/outputs.py", LAST_FIELD, OUTPUT),
    ("pipeline/protocol/wire/outputs.py", "Output: TypeAlias = ImageFile", " | TextFile"),
    (
        "bot/jobs/kinds.py",
        "from bot.presenting.jobs import job_buttons, job_message\n",
        "from bot.presenting import descriptions\nfrom pipeline.protocol.requests import DescribeRequest\n",
    ),
    (
        "bot/jobs/kinds.py",
        "            notice=lambda request, spec: drawn_alike(request.prompt, spec),\n        ),\n",
        ROW,
    ),
)
PRESENTERS: Final = '''"""Messages about descriptions."""

from discord import ui

from bot.presenting.jobs import job_buttons
from bot.presenting.escaping import small
from bot.presenting.jobs.job_message import GREEN, cost, in_its_language, layout
from bot.presenting.jobs.output_files import attachment


@in_its_language
def running(job, *, step, total_steps, ends_at, preview_name):
    return layout(job, GREEN, f"Thinking: {step} of {total_steps}.", *job_buttons.under_way(job))


@in_its_language
def done(job, *, outputs, spec, allowance):
    words = [output.data.decode() for output in outputs]
    facts = small(cost(job, len(outputs), allowance))
    files = [ui.File(attachment(output.file_name)) for output in outputs]
    return layout(job, GREEN, "\\n".join([*words, facts]), *files, job_buttons.keeping(job))


def details(job, spec, outputs):
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(f"{len(outputs)} of {job.request.answers} answers, in a {job.request.tone} tone"))
    view.stop()
    return view, []
'''
NEEDED: Final = ("kind_life.py", *(f"kill_points/{name}.py" for name in ("engine", "members", "tiny_discord")))
KNOW_NO_KIND: Final = (
    *("bot/store/", "bot/quotas/", "bot/calls/", "bot/interactions/", "bot/views/", "bot/commands/"),
    "bot/jobs/delivering/",
    *(f"bot/jobs/{name}.py" for name in ("dispatcher", "recovery", "accepting", "storing", "waiting")),
)
"""Rooms and files that run, count, charge, recover and forget jobs of every kind."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What becomes of the jobs."""
    files = {"bot/presenting/descriptions.py": PRESENTERS}
    copy = patched_copy(tmp_path_factory.mktemp("easel"), LINES, files=files, tests=NEEDED)
    told: dict[str, Any] = told_by(copy, "tests.kind_life", str(tmp_path_factory.mktemp("life")))
    return told


def test_what_runs_jobs_is_not_touched() -> None:
    assert [name for name, _, _ in LINES if name.startswith(KNOW_NO_KIND)] == []


def test_it_is_priced_queued_and_handed_to_the_engine_as_its_row_says(told: dict[str, Any]) -> None:
    assert told["price"] == 6
    assert "**what is a star?**" in told["queued"]
    assert "Costs 6" in told["queued"]
    # The safety checker looks at pictures only.
    assert told["submitted"] == [["describe", "none"], ["describe", "none"], ["image", "hide"]]
    assert "Thinking: 1 of 2." in told["running"]


def test_its_outputs_are_kept_shown_and_charged_in_part(told: dict[str, Any]) -> None:
    (output,) = told["outputs"]
    assert (output["kind"], output["media_type"], output["size_bytes"]) == (
        "text",
        "text/plain",
        len("shy: what is a star?"),
    )
    assert (output["width"], output["height"], output["seed"]) == (None, None, None)
    assert "shy: what is a star?" in told["done"]
    assert "cost 3, 97 left" in told["done"]
    assert [file.rpartition(".")[2] for file in told["files"]] == ["txt"]
    assert told["charged"] == [3]
    assert [file.rpartition(".")[2] for file in told["files of a picture"]] == ["png"]


def test_its_time_is_learnt_apart(told: dict[str, Any]) -> None:
    (timing,) = told["timings"]
    assert (timing["kind"], timing["size"], timing["row_s"], timing["rest_s"]) == ("describe", 1, 3.0, 1.0)
    assert (told["expected at first"], told["expected later"]) == (0, 8_000)


def test_its_buttons_are_its_own(told: dict[str, Any]) -> None:
    assert "1 of 2 answers, in a shy tone" in told["details"]
    assert told["forged"] == "refused-unknown-job"
    assert "easel:retry" in told["over"]
    assert "easel:remix" not in told["over"]


def test_it_is_recovered_after_a_restart(told: dict[str, Any]) -> None:
    assert told["held again"] == 2
    assert [file.rpartition(".")[2] for file in told["held files"]] == ["txt"]
    assert [file.rpartition(".")[2] for file in told["adopted"]] == ["txt"]
    assert told["run again"] == []


def test_forgetting_blanks_its_words_and_every_promise_holds(told: dict[str, Any]) -> None:
    described = [request for request in told["forgotten"] if request["kind"] == "describe"]
    (drawn,) = [request for request in told["forgotten"] if request["kind"] == "image"]
    blank = {
        "kind": "describe",
        "prompt": "",
        "secret": "",
        "tone": "shy",
        "answers": 2,
        "model_key": "pocket",
        "inputs": [],
    }
    assert described == [blank] * 4
    assert (drawn["prompt"], drawn["negative_prompt"]) == ("", "")
    assert "secret" not in drawn
    assert told["still read"] == [""] * 5
    assert told["broken"] == []
