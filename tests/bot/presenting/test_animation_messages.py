"""The messages of a making-of."""

from typing import Any

import msgspec
import pytest

from bot.errors import Refused
from bot.jobs.kinds import kind_of
from bot.presenting.jobs.job_message import Allowance
from bot.presenting.jobs.output_files import ShownOutput
from bot.quotas.pricing import making_of_price, price
from bot.requests.derived.deriving import making_of
from bot.store.rows.origin import Lineage, StartedBy
from config.catalogue import Catalogue
from pipeline.protocol.requests import GenerationRequest, MakingOfRequest, MorphRequest
from tests.bot.presenting.test_upscale_messages import said
from tests.example_jobs import example_job, from_elsewhere


def test_a_making_of_says_what_it_shows_and_has_no_buttons_of_a_picture(
    catalogue: Catalogue, request_: GenerationRequest
) -> None:
    request = making_of(msgspec.structs.replace(request_, num_images=4), 2, catalogue.default)
    assert (request.seed, request.num_images, request.output_count) == (request_.seed + 2, 1, 2)
    lineage = Lineage(parent_job_id=3, parent_message_id=4, parent_image_index=2)
    job = from_elsewhere(example_job(request), started_by=StartedBy.MAKING_OF, lineage=lineage)
    outputs = tuple(ShownOutput(index=k, file_name=f"easel-7-{k + 1}.webp", data=b"") for k in range(2))
    kind = kind_of(request)
    done = kind.done(job, outputs=outputs, spec=catalogue.default, allowance=Allowance(left=3))
    assert "Making-of of" in said(done)
    assert "Left is what the model gets" in said(done)
    assert "4 steps · Pocket" in said(done)
    components: Any = str(done.to_components())
    assert "How a picture came to be, 4 steps from noise: a red apple" in components
    assert "easel:star:7" in components
    assert "easel:reroll" not in components
    assert "/imagine prompt: a red apple" in said(kind.details(job, catalogue.default, [])[0])


def test_it_costs_its_picture_and_by_work_the_decoding_of_its_steps(
    catalogue: Catalogue, request_: GenerationRequest
) -> None:
    spec = catalogue.default
    dear = msgspec.structs.replace(spec, cost=msgspec.structs.replace(spec.work, decode=spec.work.decode * 1000))
    shown = making_of(request_, 0, spec)
    assert making_of_price(shown, spec, spec, "flat") == 1
    assert making_of_price(shown, dear, spec, "work") > price(request_, dear, spec, "work")
    with pytest.raises(Refused) as refused:
        making_of(request_, 0, msgspec.structs.replace(spec, family="pipeline"))
    assert refused.value.key == "refused-making-of-model"
    assert isinstance(shown, MakingOfRequest)


def test_a_morph_says_where_it_goes(catalogue: Catalogue, request_: GenerationRequest) -> None:
    own: dict[str, Any] = {"end_prompt": "a *star*", "end_seed": 9, "frames": 16}
    request = MorphRequest(**msgspec.structs.asdict(request_) | own)
    job = from_elsewhere(example_job(request), started_by=StartedBy.MORPH)
    outputs = tuple(ShownOutput(index=k, file_name=f"easel-7-{k + 1}.webp", data=b"") for k in range(2))
    done = kind_of(request).done(job, outputs=outputs, spec=catalogue.default, allowance=Allowance(left=3))
    assert "Morph for" in said(done)
    assert "to a *star*" in said(done)
    assert "16 frames, 4 steps each · seeds 7 to 9" in said(done)
    assert "16 pictures from “a red apple” to “a *star*”" in str(done.to_components())
