"""Pictures of the shipped model that Easel itself draws."""

import io
from collections.abc import Sequence
from typing import Any

import msgspec
from PIL import Image

from config.areas.pipeline import PipelineSettings
from config.catalogue import load_catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.loop import Engine
from pipeline.engine.loras.folder import LoraFolder
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Finished, Submit
from pipeline.protocol.wire.settings import EngineOptions

AT_ONCE = 8
"""Jobs that share forwards: a row of a large forward costs about half of one in a small forward."""


def pictures_of(requests: Sequence[GenerationRequest]) -> list[list[Image.Image]]:
    """The pictures of each request, as large as it asks for: the enlarger is left out."""
    spec = msgspec.structs.replace(load_catalogue(PipelineSettings().catalogue, "pocket").default, enlarger=None)
    events: list[Any] = []
    engine = Engine(
        models={spec.key: spec},
        placement=choose_placement("cpu", "float32"),
        loras=LoraFolder(None),
        emit=events.append,
        activity=Activity(),
        options=EngineOptions(max_running=AT_ONCE),
    )
    for number, request in enumerate(requests):
        engine.submit(Submit(job_id=number, attempt=1, request=request))
    engine.run_until_idle()
    finished = {event.job_id: event.outputs for event in events if isinstance(event, Finished)}
    return [
        [Image.open(io.BytesIO(output.data)).convert("RGB") for output in finished[number]]
        for number in range(len(requests))
    ]
