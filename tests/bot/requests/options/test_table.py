"""Every option of a request arrives wherever it may be said, and is lost nowhere on the way."""

import msgspec
import pytest

from bot.errors import Refused
from bot.presenting.images import done_message
from bot.presenting.images.details_message import command_of
from bot.presenting.jobs import expansion_message
from bot.presenting.jobs.job_message import Allowance
from bot.presenting.settings_message import defaults_line
from bot.presenting.summaries import summary
from bot.presenting.texts import LANGUAGES, spoken, text
from bot.requests.derived.deriving import as_it_was, remix, still_default
from bot.requests.given import GivenRequest
from bot.requests.options.table import (
    OPTIONS,
    OPTIONS_WITH_DEFAULTS,
    Option,
    Situation,
    arranged,
    find_option,
    number,
    sampler_of,
)
from bot.requests.options.takes import whole
from bot.requests.resolving import OWNERS, Resolved, resolve
from bot.store.rows.preferences import AskerDefaults, Preferences
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.images.parameters import parameters_text
from pipeline.protocol.catalogue.models import Defaults
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers.table import SAMPLERS
from pipeline.protocol.usual import usual_request
from tests.bot.presenting.jobs.test_expansion_message import expansion_of, fine, words_of
from tests.example_jobs import IMAGES, example_job

WISHES = Preferences(
    negative_prompt="rain",
    guidance_scale=3.5,
    num_inference_steps=9,
    size="128x64",
    scheduler_name="Euler a",
    num_images=3,
    model_key="other",
)
"""None of them is what the model does by itself."""
TYPED = "--negative rain --cfg 3.5 --steps 9 --size 128x64 --sampler Euler a --images 3 --model other"
FIELDS = WISHES.__struct_fields__


@pytest.fixture
def two_models(catalogue: Catalogue) -> Catalogue:
    """The shipped model, and one like it whose guidance is its own."""
    usual = msgspec.structs.replace(catalogue.default.defaults, guidance_start=0.1, guidance_end=0.8)
    other = msgspec.structs.replace(catalogue.default, key="other", title="Other", defaults=usual)
    return msgspec.structs.replace(catalogue, models={**catalogue.models, "other": other})


def asked(models: Catalogue, given: GivenRequest, defaults: AskerDefaults | None = None) -> Resolved:
    """What comes of it, without a word about anything."""
    found = resolve(given, catalogue=models, limits=LimitSettings(), defaults=defaults or AskerDefaults())
    assert found.notices == ()
    return found


def wished(models: Catalogue) -> Resolved:
    return asked(models, GivenRequest(prompt="a star", seed=5).or_else(WISHES))


def test_every_wish_is_another_than_the_usual(two_models: Catalogue) -> None:
    assert WISHES.names() == {*Preferences.__struct_fields__}
    usual = as_it_was(asked(two_models, GivenRequest(prompt="a star")).request)
    assert all(getattr(usual, name) != getattr(WISHES, name) for name in FIELDS)
    assert as_it_was(wished(two_models).request) == WISHES


def test_each_field_of_a_request_is_said_by_somebody() -> None:
    """A remix keeps what is an option's or the owner's; a field of neither would be lost in it."""
    options = {field for option in OPTIONS for field in option.request_fields}
    assert {*Preferences.__struct_fields__} == {option.field for option in OPTIONS_WITH_DEFAULTS}
    assert {*GivenRequest.__struct_fields__} == {"prompt", "beside", *(option.field for option in OPTIONS)}
    made = {"prompt", "variations", "upscale", "inpaint", "tiles"}
    assert {*GenerationRequest.__struct_fields__} == options | OWNERS | made


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_default_is_described_by_its_own_words(language: str) -> None:
    with spoken(language):
        described = {text("option-admin-default", option=option.name) for option in OPTIONS_WITH_DEFAULTS}
    assert len(described) == len(OPTIONS_WITH_DEFAULTS)


def test_the_usual_request_is_what_nobody_said_anything_about(two_models: Catalogue) -> None:
    for spec in two_models.models.values():
        found = asked(two_models, GivenRequest(prompt="a star", seed=0, num_images=1, model_key=spec.key)).request
        assert usual_request(spec) == msgspec.structs.replace(found, prompt="a picture")


def test_what_is_typed_in_a_prompt_is_the_same(two_models: Catalogue) -> None:
    assert asked(two_models, GivenRequest(prompt=f"a star --seed 5 {TYPED}")) == wished(two_models)


@pytest.mark.parametrize("whose", AskerDefaults.__struct_fields__)
def test_what_is_a_default_is_the_same_and_is_told_as_one(two_models: Catalogue, whose: str) -> None:
    defaults = msgspec.convert({whose: msgspec.to_builtins(WISHES)}, AskerDefaults)
    found = asked(two_models, GivenRequest(prompt="a star", seed=5), defaults)
    assert found.request == wished(two_models).request
    assert found.defaults == defaults
    assert len(defaults_line(WISHES).split(", ")) == len(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_remix_changes_what_its_form_says_and_keeps_the_rest(two_models: Catalogue, name: str) -> None:
    """Guidance that only an owner sets is kept with the model, and follows another one."""
    guided = {"guidance_start": 0.2, "guidance_end": 0.7, "guidance_rescale": 0.4}
    old = msgspec.structs.replace(wished(two_models).request, **guided)
    own = msgspec.structs.replace(AskerDefaults(), own=WISHES)
    job = msgspec.structs.replace(example_job(old), defaults=own)
    kept = AskerDefaults(own=as_it_was(old))
    unchanged = GivenRequest(prompt=old.prompt, negative_prompt=old.negative_prompt, seed=old.seed)
    again = remix(asked(two_models, unchanged, kept), job, is_same_noise=True)
    assert (again.request, again.defaults) == (old, own)
    usual = as_it_was(asked(two_models, GivenRequest(prompt="a star")).request)
    one = msgspec.structs.replace(unchanged, **{name: getattr(usual, name)})
    other = remix(asked(two_models, one, kept), job, is_same_noise=True)
    assert as_it_was(other.request) == msgspec.structs.replace(WISHES, **{name: getattr(usual, name)})
    assert other.defaults.own.names() == {*FIELDS} - {name}
    expected = Defaults() if name == "model_key" else old
    assert all(getattr(other.request, part) == getattr(expected, part) for part in guided)


@pytest.mark.parametrize("name", FIELDS)
def test_a_job_tried_again_still_took_the_same_defaults(two_models: Catalogue, name: str) -> None:
    defaults = AskerDefaults(channel=WISHES.only([name]), server=WISHES.only({*FIELDS} - {name}))
    request = wished(two_models).request
    job = msgspec.structs.replace(example_job(request), defaults=defaults)
    assert still_default(job, request) == defaults


def test_the_command_of_a_job_asks_for_the_same(two_models: Catalogue) -> None:
    request = wished(two_models).request
    assert asked(two_models, GivenRequest(prompt=command_of(request))).request == request


def test_the_parameters_of_a_file_ask_for_the_same_picture(two_models: Catalogue) -> None:
    """A file is of one picture. Who says "Model" for a model of this name means it here."""
    request = wished(two_models).request.single(0)
    found = resolve(
        GivenRequest(prompt=parameters_text(request, "Other")), catalogue=two_models, limits=LimitSettings()
    )
    assert found.request == request


@pytest.mark.parametrize("option", OPTIONS_WITH_DEFAULTS, ids=lambda option: str(option.name))
def test_jobs_that_differ_in_one_option_say_in_which(two_models: Catalogue, option: Option) -> None:
    """Before members pay for several jobs, they read what each of them is."""
    wishes, usual = wished(two_models).request, asked(two_models, GivenRequest(prompt="a star", seed=5)).request
    given = GivenRequest(prompt="a star", seed=5, **{option.field: option.value_of(usual)})
    other = asked(two_models, given.or_else(WISHES)).request
    asks = expansion_of([wishes, other])
    said = words_of(expansion_message.question(asks, fine(2), two_models.models)).splitlines()[1:3]
    for place, (request, line) in enumerate(zip((wishes, other), said, strict=True), 1):
        words = summary(option, request, two_models.models[request.model_key])
        assert line == " · ".join(filter(None, [f"{place}. a star", words, "seed 5"]))


def test_below_a_picture_stands_what_is_not_usual(two_models: Catalogue) -> None:
    """All but how many pictures there are, which is seen, and a style, which is in the prompt."""
    spec = two_models.models["other"]
    usual = asked(two_models, GivenRequest(prompt="a star", seed=5, model_key="other"))
    shown = [
        words_of(done_message.done(example_job(request), outputs=IMAGES, spec=spec, allowance=Allowance(left=None)))
        for request in (wished(two_models).request, usual.request)
    ]
    assert [words.splitlines()[-1] for words in shown] == [
        "-# seed 5 · 9 steps · CFG 3.5 · Euler a · 128×64, enlarged to 256×256 · Other · without: rain · 1.2 s",
        "-# seed 5 · 64×64, enlarged to 256×256 · Other · 1.2 s",
    ]


@pytest.mark.parametrize(("highest", "most"), [(None, 40), (30, 30), (50, 40)])
def test_a_number_keeps_to_the_least_of_its_bounds(
    catalogue: Catalogue, request_: GenerationRequest, highest: int | None, most: int
) -> None:
    takes = whole(1, lambda spec, limits: limits.max_steps if spec is catalogue.default else 0)
    option = number(
        "steps",
        "num_inference_steps",
        takes,
        lambda spec: spec.defaults.steps,
        highest=None if highest is None else lambda situation: highest if situation.spec is catalogue.default else 0,
        translations=("schritte",),
        habits=("n",),
    )
    assert (option.name, option.field, option.takes) == ("steps", "num_inference_steps", takes)
    assert (option.translations, option.habits) == (("schritte",), ("n",))
    assert option.value_of(request_) == request_.num_inference_steps
    spec = catalogue.default
    assert not option.is_usual(request_, spec)
    assert option.is_usual(msgspec.structs.replace(request_, num_inference_steps=spec.defaults.steps), spec)
    situation = Situation(spec=spec, limits=LimitSettings(max_steps=40), sampler=SAMPLERS["Euler"], notices=[])
    assert option.resolve is not None
    used = [option.resolve(value, situation)["num_inference_steps"] for value in (None, 7, 99, 0)]
    assert used == [spec.defaults.steps, 7, most, 1]
    assert [notice.values for notice in situation.notices] == [
        {"option": "steps", "given": "99", "used": str(most)},
        {"option": "steps", "given": "0", "used": "1"},
    ]


def test_values_are_written_as_members_type_them(request_: GenerationRequest) -> None:
    written = {option.name: option.written(request_) for option in OPTIONS}
    assert written == {
        "negative": "",
        "cfg": "5",
        "steps": 4,
        "size": "64x64",
        "sampler": "Euler",
        "seed": 7,
        "images": 1,
        "model": "pocket",
        "style": "",
        "image": "",
        "use": "",
        "strength": "",
        "image2": "",
        "use2": "",
    }
    assert [option.name for option in arranged(["seed", "size"])][:4] == ["seed", "size", "negative", "cfg"]


@pytest.mark.parametrize(
    ("spelled", "value", "read"), [("--ar", "16 x 9", "16:9"), ("--size", "wide", "wide"), ("--seed", "-1", None)]
)
def test_a_value_is_read_by_the_name_that_was_typed(spelled: str, value: str, read: str | None) -> None:
    option = find_option(spelled)
    assert option is not None
    assert option.takes.read(spelled, value) == read


@pytest.mark.parametrize(
    ("spelled", "value", "key", "told"),
    [
        ("--ar", "wide", "refused-ratio", {"value": "wide"}),
        ("--size", "", "refused-option-empty", {"option": "--size"}),
        ("--seed", "x", "refused-typed-number", {"option": "--seed", "value": "x"}),
    ],
)
def test_what_is_no_value_is_refused_by_the_name_that_was_typed(
    spelled: str, value: str, key: str, told: dict[str, str]
) -> None:
    option = find_option(spelled)
    assert option is not None
    with pytest.raises(Refused) as refused:
        option.takes.read(spelled, value)
    assert (refused.value.key, refused.value.values) == (key, told)


@pytest.mark.parametrize("name", ["R" * 90, "Flow Euler"])
def test_a_sampler_that_the_model_has_not_is_refused(catalogue: Catalogue, name: str) -> None:
    spec = msgspec.structs.replace(catalogue.default, samplers=("Euler", "DDIM"))
    assert sampler_of("ddim", spec) is SAMPLERS["DDIM"]
    with pytest.raises(Refused) as refused:
        sampler_of(name, spec)
    assert (refused.value.key, refused.value.values) == (
        "refused-sampler",
        {"sampler": name[:80], "known": "Euler, DDIM"},
    )
