"""What a job asks for: the seeds of its images, the steps that are guided."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.protocol.facts import Fact
from pipeline.protocol.inputs import Inpaint, Input, InputRole
from pipeline.protocol.limits import MAX_SEED
from pipeline.protocol.request_fields import FACTS, PRIVATE
from pipeline.protocol.requests import (
    REQUEST_TYPES,
    GenerationRequest,
    Request,
    UpscaleRequest,
    Variation,
    kind_name,
    narrowed,
    seed_of,
)

SEEDS = st.integers(0, MAX_SEED)
REQUEST = GenerationRequest(
    prompt="a red apple",
    negative_prompt="",
    num_inference_steps=10,
    guidance_scale=5.0,
    width=64,
    height=64,
    scheduler_name="Euler",
    seed=7,
    num_images=4,
    model_key="pocket",
)


class Other(msgspec.Struct, tag_field="kind", tag="other"):
    """A request of another kind."""


EARLIER = (Variation(seed=10, strength=0.3), Variation(seed=20, strength=0.1))
VARIED = msgspec.structs.replace(REQUEST, variations=(*EARLIER, Variation(seed=30, strength=0.2)))


def test_seeds_count_up_and_begin_anew_after_the_last() -> None:
    assert [seed_of(MAX_SEED - 1, index) for index in range(4)] == [MAX_SEED - 1, MAX_SEED, 0, 1]


def test_an_image_of_its_own_is_drawn_as_it_was_in_its_job() -> None:
    assert REQUEST.single(2) == msgspec.structs.replace(REQUEST, seed=9, num_images=1)
    # A varied picture keeps where it began: its last step counts up.
    assert VARIED.single(2) == msgspec.structs.replace(
        VARIED, num_images=1, variations=(*EARLIER, Variation(seed=32, strength=0.2))
    )


def test_an_image_of_its_own_draws_the_same_part_of_a_picture_anew() -> None:
    start = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.5)
    mask = Input(role=InputRole.MASK, sha256="cd" * 32)
    redrawn = msgspec.structs.replace(REQUEST, inputs=(start, mask), inpaint=Inpaint(grow=0.1))
    assert (redrawn.init_image, redrawn.mask, REQUEST.mask) == (start, mask, None)
    assert redrawn.single(2) == msgspec.structs.replace(redrawn, seed=9, num_images=1)


@given(seeds=st.lists(SEEDS, max_size=3), first=SEEDS, index=st.integers(0, 3))
def test_the_seed_that_counts_up_is_that_of_the_image(seeds: list[int], first: int, index: int) -> None:
    variations = tuple(Variation(seed=seed, strength=0.5) for seed in seeds)
    job = msgspec.structs.replace(REQUEST, seed=first, variations=variations)
    assert job.last_seed == (seeds[-1] if seeds else first)
    assert job.single(index).last_seed == seed_of(job.last_seed, index)
    assert job.single(index).single(0) == job.single(index)


@pytest.mark.parametrize(
    ("start", "end", "total", "guided"),
    [
        (0, 1, 4, [1, 2, 3, 4]),
        (0.25, 0.75, 4, [2, 3]),
        (0.2, 0.5, 10, [3, 4, 5]),
        (0.5, 0.5, 10, []),
        (0.3, 1, 3, [1, 2, 3]),
        (0, 0.3, 3, []),
    ],
)
def test_guidance_begins_after_one_part_of_all_steps_and_ends_with_another(
    start: float, end: float, total: int, guided: list[int]
) -> None:
    request = msgspec.structs.replace(REQUEST, guidance_start=start, guidance_end=end)
    assert [step for step in range(1, total + 1) if request.guides(step, total)] == guided


UPSCALE = UpscaleRequest(
    scale=4, width=30, height=20, model_key="net", inputs=(Input(role=InputRole.SOURCE, sha256="ab"),)
)


def test_a_request_says_its_kind() -> None:
    tagged = msgspec.json.encode(REQUEST)
    assert msgspec.json.decode(tagged, type=dict[str, object])["kind"] == "image"
    assert msgspec.json.decode(tagged, type=Request) == REQUEST
    assert msgspec.json.decode(msgspec.json.encode(UPSCALE), type=Request) == UPSCALE
    assert (UPSCALE.delivered, UPSCALE.delivered_pixels, UPSCALE.output_count) == ((120, 80), 9_600, 1)
    with pytest.raises(msgspec.ValidationError, match="Invalid value 'audio'"):
        msgspec.json.decode(tagged.replace(b'"image"', b'"audio"'), type=Request)


def test_private_fields_have_an_empty_value_of_their_type() -> None:
    empty = {"prompt": "", "negative_prompt": "", "end_prompt": "", "inputs": ()}
    assert {name: kind() for name, kind in PRIVATE.items()} == empty


def parts_of(hint: Any) -> Iterator[Any]:
    """A type, and the types that it is made of."""
    yield hint
    for part in get_args(hint):
        yield from parts_of(part)


def texts_of(struct: type, path: str = "", of_whole: Fact | None = None) -> Iterator[tuple[str, Fact | None]]:
    """The path of each text in a struct, and what its field says of it, or the field that it is a part of."""
    for name, hint in get_type_hints(struct, include_extras=True).items():
        said = next((fact for fact in get_args(hint) if isinstance(fact, Fact)), of_whole)
        for part in parts_of(hint):
            if part is str:
                yield f"{path}{name}", said
            elif isinstance(part, type) and issubclass(part, msgspec.Struct):
                yield from texts_of(part, f"{path}{name}.", said)


@pytest.mark.parametrize("request_type", REQUEST_TYPES)
def test_each_text_of_every_kind_says_whether_it_is_private(request_type: type[Request]) -> None:
    texts = dict(texts_of(request_type))
    assert [path for path, fact in texts.items() if fact is None or fact.is_private is None] == []
    # Forgetting blanks fields of the request itself.
    assert {path.partition(".")[0] for path, fact in texts.items() if fact is not None and fact.is_private} <= {
        *PRIVATE
    }


@pytest.mark.parametrize("request_type", REQUEST_TYPES)
def test_a_private_name_means_the_same_in_every_kind(request_type: type[Request]) -> None:
    hints, facts = get_type_hints(request_type), FACTS[request_type]
    for name in PRIVATE.keys() & hints.keys():
        assert facts[name].is_private, name
        assert (get_origin(hints[name]) or hints[name]) is PRIVATE[name], name


def test_every_kind_has_its_own_name() -> None:
    assert len({request_type.__struct_config__.tag for request_type in REQUEST_TYPES}) == len(REQUEST_TYPES)
    assert kind_name(REQUEST) == "image"


def test_what_is_of_another_kind_is_not_taken_for_a_picture() -> None:
    assert narrowed(REQUEST, GenerationRequest) is REQUEST
    with pytest.raises(TypeError, match="This is of the kind 'image' and no Other"):
        narrowed(REQUEST, Other)


def test_outputs_are_counted_without_knowing_the_kind() -> None:
    assert (REQUEST.output_count, REQUEST.single(1).output_count) == (4, 1)


def test_pictures_are_found_by_their_role_in_order() -> None:
    roles = [*InputRole, *InputRole]
    inputs = tuple(Input(role=role, sha256=f"{index:064x}") for index, role in enumerate(roles))
    request = msgspec.structs.replace(REQUEST, inputs=inputs)
    for found, role in (
        (request.controls, InputRole.CONTROL),
        (request.references, InputRole.REFERENCE),
        (request.edits, InputRole.EDIT),
    ):
        assert found == tuple(each for each in inputs if each.role is role)
        assert len(found) == 2
    assert (request.init_image, request.mask) == (inputs[0], inputs[1])


def test_an_input_of_an_earlier_version_still_decodes() -> None:
    stored = b'{"role": "init-image", "sha256": "ab", "strength": 0.5}'
    read = msgspec.json.decode(stored, type=Input)
    assert (read.use, read.network, read.start, read.end, read.is_map, read.is_guess) == (
        None,
        "",
        0.0,
        1.0,
        False,
        False,
    )
