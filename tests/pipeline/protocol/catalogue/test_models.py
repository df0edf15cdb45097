"""What follows from an entry of the catalogue: sizes that arrive, samplers that are offered."""

import msgspec
import pytest

from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import Bounds, Defaults, FamilyFacts, ModelSpec
from pipeline.protocol.catalogue.networks import Enlarger, Family, FolderSource
from pipeline.protocol.inputs import InputRole
from pipeline.protocol.samplers.sampler import NoiseSchedule
from pipeline.protocol.samplers.table import offered_samplers
from pipeline.protocol.usual import usual_request

GUIDED = frozenset({Capability.GUIDANCE, Capability.NEGATIVE_PROMPT})
USUAL = GUIDED | {Capability.STEPS, Capability.SAMPLER, Capability.SEED}
DRAWS = USUAL | {Capability.TEXT_TO_IMAGE, Capability.INIT_IMAGE, Capability.MASK}
EDITS = {Capability.EDIT, Capability.EDIT_STRENGTH}
WHOLE = DRAWS | EDITS | {Capability.SEVERAL_PICTURES, Capability.UNCONDITIONAL_ROW, Capability.UNGUIDED}
IN_STEPS = DRAWS | {Capability.VARIATIONS, Capability.REFINING, Capability.UNGUIDED}
WITH_UNET = IN_STEPS | {Capability.CONTROL, Capability.REFERENCE}
SPEC = ModelSpec(key="some", title="Some", source=FolderSource(path="/nowhere"), family="sd", license="")


def test_an_enlarger_multiplies_what_arrives() -> None:
    assert SPEC.delivered(512, 640) == (512, 640)
    enlarged = msgspec.structs.replace(SPEC, enlarger=Enlarger(path="/nowhere", scale=4))
    assert enlarged.delivered(128, 64) == (512, 256)


@pytest.mark.parametrize(
    ("family", "facts"),
    [
        ("sd", FamilyFacts(kind="diffusion", size_multiple=8, has_weights=True, capabilities=WITH_UNET)),
        ("sdxl", FamilyFacts(kind="diffusion", size_multiple=8, has_weights=True, capabilities=WITH_UNET)),
        (
            "sd3",
            FamilyFacts(kind="flow", size_multiple=16, has_weights=False, capabilities=IN_STEPS, rounds_steps_up=True),
        ),
        (
            "pipeline",
            FamilyFacts(
                kind="own",
                size_multiple=32,
                has_weights=False,
                capabilities=WHOLE,
                rounds_steps_up=True,
                edits_lengthen=True,
            ),
        ),
    ],
)
def test_a_family_says_what_the_bot_must_know(family: Family, facts: FamilyFacts) -> None:
    spec = msgspec.structs.replace(SPEC, family=family)
    assert spec.facts == facts
    assert spec.offered_samplers == offered_samplers(facts.kind)


def test_named_samplers_are_offered_as_far_as_they_honour_how_the_model_was_trained() -> None:
    named = msgspec.structs.replace(SPEC, samplers=("LCM", "Heun", "Euler"))
    assert named.offered_samplers == ("LCM", "Heun", "Euler")
    zero = msgspec.structs.replace(named, prediction="v_prediction", zero_snr=True)
    assert zero.schedule == NoiseSchedule(prediction="v_prediction", is_zero_snr=True)
    assert zero.offered_samplers == ("Euler",)
    assert zero.fitting_samplers(NoiseSchedule()) == named.samplers
    unnamed = msgspec.structs.replace(zero, samplers=())
    assert unnamed.offered_samplers == offered_samplers("diffusion", zero.schedule)
    assert SPEC.schedule == NoiseSchedule()


def test_fewer_samplers_keep_the_usual_one_where_it_is_among_them() -> None:
    usual = Defaults(sampler="Heun", steps=9)
    spec = msgspec.structs.replace(SPEC, defaults=usual)
    kept = spec.narrowed(("Euler", "Heun"))
    assert (kept.samplers, kept.defaults) == (("Euler", "Heun"), usual)
    other = spec.narrowed(("Euler a", "Euler"))
    assert (other.samplers, other.defaults) == (("Euler a", "Euler"), Defaults(sampler="Euler a", steps=9))
    assert (other.key, other.source) == (spec.key, spec.source)
    assert spec.narrowed(None) == spec


def test_a_model_has_what_neither_its_entry_nor_its_files_take_from_its_family() -> None:
    assert SPEC.capabilities == WITH_UNET
    written = msgspec.structs.replace(SPEC, lacks=(Capability.VARIATIONS,))
    found = written.narrowed(None, (Capability.NEGATIVE_PROMPT, Capability.VARIATIONS))
    assert found.capabilities == WITH_UNET - {Capability.VARIATIONS, Capability.NEGATIVE_PROMPT}
    assert (found.samplers, found.defaults) == (SPEC.samplers, SPEC.defaults)
    assert [found.can(wanted) for wanted in (None, Capability.GUIDANCE, Capability.VARIATIONS)] == [True, True, False]


@pytest.mark.parametrize(("cfg", "expected"), [(7.0, 1.0), (0.5, 0.5)])
def test_a_model_without_guidance_has_no_scale_with_an_effect(cfg: float, expected: float) -> None:
    spec = msgspec.structs.replace(SPEC, defaults=Defaults(cfg=cfg, steps=9))
    assert spec.narrowed(None, (Capability.GUIDANCE,)).defaults == Defaults(cfg=expected, steps=9)


@pytest.mark.parametrize(("max_cfg", "is_guided"), [(1.0, False), (1.5, True)])
def test_a_scale_of_at_most_one_is_no_guidance(max_cfg: float, *, is_guided: bool) -> None:
    spec = msgspec.structs.replace(SPEC, bounds=Bounds(max_cfg=max_cfg))
    assert spec.capabilities == (WITH_UNET if is_guided else WITH_UNET - GUIDED)


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_an_instruct_model_edits_and_draws_nothing_from_words_alone(family: Family) -> None:
    spec = msgspec.structs.replace(SPEC, family=family, edits=True)
    assert spec.capabilities == USUAL | EDITS | {Capability.VARIATIONS, Capability.UNGUIDED}
    assert not SPEC.can(Capability.EDIT)
    (edited,) = usual_request(spec).edits
    assert edited.role is InputRole.EDIT
    assert not usual_request(SPEC).inputs
