"""How the engine runs each kind of request, and what it says of a kind that it does not run."""

from typing import Any, cast

import msgspec

from pipeline.engine.steps.kinds import KINDS
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.inputs import Input
from pipeline.protocol.requests import REQUEST_TYPES, Request
from pipeline.protocol.wire.messages import Failed, Submit
from tests.pipeline.engine.conftest import Studio


class MadeUp(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="made-up"):
    """A request of a kind that nobody runs."""

    model_key: str
    inputs: tuple[Input, ...] = ()


def test_every_kind_has_a_row() -> None:
    assert [*KINDS] == [*REQUEST_TYPES]


def test_a_kind_without_a_row_fails_in_a_sentence(studio: Studio) -> None:
    request: Any = MadeUp(model_key="pocket")
    studio.events.clear()
    studio.engine.submit(Submit(job_id=7, attempt=1, request=cast("Request", request)))
    studio.engine.run_until_idle()
    sentence = "InvalidRequest: This worker runs no jobs of the kind 'made-up'."
    assert studio.events == [Failed(job_id=7, attempt=1, reason=FailureReason.INVALID_REQUEST, detail=sentence)]
