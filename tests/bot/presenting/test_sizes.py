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
from bot.presenting.summaries import size_choices, size_of, size_words
from bot.presenting.texts import LANGUAGES, spoken
from bot.requests.options.sizes import read_size
from bot.store.rows.jobs import Job
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol.requests import GenerationRequest, Upscale
from tests.example_jobs import example_job, from_elsewhere

LIMITS = LimitSettings()
WORDS = {"en": "64×64, enlarged to 256×256", "de": "64×64, vergrößert auf 256×256"}


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


def test_what_arrives_as_it_is_drawn_has_one_size(catalogue: Catalogue) -> None:
    plain = msgspec.structs.replace(catalogue.default, enlarger=None)
    assert size_of(512, 768, plain) == size_of(512, 768, None) == size_words(512, 768, (512, 768)) == "512×768"


def test_an_upscaled_picture_is_told_with_the_size_that_arrives(
    request_: GenerationRequest, catalogue: Catalogue
) -> None:
    job = example_job(msgspec.structs.replace(request_, upscale=Upscale(scale=2, strength=0.2)))
    view, _ = details_message.details(job, catalogue.default, ())
    assert "64×64, enlarged to 512×512" in str(view.to_components())
