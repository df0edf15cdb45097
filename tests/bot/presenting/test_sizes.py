"""One wording for sizes, wherever a member reads one."""

from typing import Any

import msgspec
import pytest

from bot.errors import Refused
from bot.presenting import help_message
from bot.presenting.help_message import Reach, Topic
from bot.presenting.images import details_message, done_message
from bot.presenting.images.remix_form import remix_form
from bot.presenting.jobs.job_message import Allowance, notice_line
from bot.presenting.jobs.output_files import ShownOutput
from bot.presenting.refusal import sentence_of
from bot.presenting.summaries import size_choices, summary
from bot.presenting.texts import LANGUAGES, spoken
from bot.requests.options.sizes import read_size
from bot.requests.options.table import FIELDS
from bot.store.rows.jobs import Job
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol.inputs import Inpaint, Outpaint
from pipeline.protocol.requests import GenerationRequest, Upscale
from tests.example_jobs import example_job, from_elsewhere

LIMITS = LimitSettings()
WORDS = {"en": "64×64, enlarged to 256×256", "de": "64×64, vergrößert auf 256×256"}


def sized(request: GenerationRequest, width: int, height: int) -> GenerationRequest:
    return msgspec.structs.replace(request, width=width, height=height)


def told(job: Job, catalogue: Catalogue) -> dict[str, str]:
    """Everything that says the size of a job's picture, as it is said."""
    spec = catalogue.default
    shown = ShownOutput(index=0, file_name="a.png", data=b"", sides=(256, 256))
    card = done_message.done(job, outputs=(shown,), spec=spec, allowance=Allowance(left=None))
    details, _ = details_message.details(job, spec, ())
    reach = Reach(steps=50, cfg=30.0, images=4)
    models = help_message.help_page(Topic.MODELS, reach=reach, models=[spec], default_key=spec.key)
    with pytest.raises(Refused) as refused:
        read_size("huge", spec, LIMITS)
    _, _, notice = read_size("65x64", spec, LIMITS)
    assert notice is not None
    views: dict[str, Any] = {"card": card, "details": details, "models": models}
    return {name: str(view.to_components()) for name, view in views.items()} | {
        "form": str(remix_form(job, spec, LIMITS).to_dict()),
        "refusal": sentence_of(refused.value),
        "notice": notice_line(notice),
        "choice": size_choices(spec, LIMITS)["square"],
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_place_says_what_is_drawn_and_what_arrives(
    request_: GenerationRequest, catalogue: Catalogue, language: str
) -> None:
    job = from_elsewhere(example_job(request_), locale=language)
    with spoken(language):
        said = told(job, catalogue)
    assert {name: WORDS[language] in words for name, words in said.items()} == dict.fromkeys(said, True)


def test_a_form_that_cannot_show_all_samplers_says_how_to_name_others(
    request_: GenerationRequest, catalogue: Catalogue
) -> None:
    job = example_job(request_)
    every = msgspec.structs.replace(catalogue.default, samplers=())
    assert "--sampler NAME" in str(remix_form(job, every, LIMITS).to_dict())
    assert "--sampler" not in str(remix_form(job, catalogue.default, LIMITS).to_dict())


def test_what_arrives_as_it_is_drawn_has_one_size(request_: GenerationRequest, catalogue: Catalogue) -> None:
    plain, request = msgspec.structs.replace(catalogue.default, enlarger=None), sized(request_, 512, 768)
    for spec, delivered in ((plain, None), (None, None), (catalogue.default, (512, 768))):
        assert summary(FIELDS["size"], request, spec, delivered=delivered) == "512×768"


def test_a_picture_with_a_window_is_told_with_its_own_size(request_: GenerationRequest, catalogue: Catalogue) -> None:
    inpaint = Inpaint(outpaint=Outpaint(right=0.5), whole=(384, 256))
    request = msgspec.structs.replace(sized(request_, 64, 64), inpaint=inpaint)
    assert summary(FIELDS["size"], request, catalogue.default) == "384×256"
    assert "As it was: 384×256" in str(remix_form(example_job(request), catalogue.default, LIMITS).to_dict())
    view, _ = details_message.details(example_job(request), catalogue.default, ())
    told = str(view.to_components())
    assert "384×256" in told
    assert "Only a window was drawn, at 64×64" in told
    larger = msgspec.structs.replace(request, upscale=Upscale(scale=2, strength=0))
    assert summary(FIELDS["size"], larger, None) == "768×512"


def test_an_upscaled_picture_is_told_with_the_size_that_arrives(
    request_: GenerationRequest, catalogue: Catalogue
) -> None:
    job = example_job(msgspec.structs.replace(request_, upscale=Upscale(scale=2, strength=0.2)))
    view, _ = details_message.details(job, catalogue.default, ())
    assert "64×64, enlarged to 512×512" in str(view.to_components())
