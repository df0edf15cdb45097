"""One word of experience, also for a model whose usual values lie at the edge of the usual."""

import msgspec
import pytest

from bot.requests.advice import advice
from bot.store.rows.preferences import Preferences
from pipeline.protocol.catalogue.models import Defaults, ModelSpec
from pipeline.protocol.catalogue.networks import FolderSource
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice

LOW, HIGH = "notice-advice-cfg-low", "notice-advice-cfg-high"
FEW, MANY = "notice-advice-steps-few", "notice-advice-steps-many"


@pytest.mark.parametrize(
    ("usual", "cfg", "steps", "told"),
    [
        *(((cfg, 20), 2.9, None, Notice(key=LOW, values={"cfg": "2.9"})) for cfg in (3.0, 7.0, 15.0)),
        *(((cfg, 20), 15.5, None, Notice(key=HIGH, values={"cfg": "15.5"})) for cfg in (3.0, 15.0)),
        *(((cfg, 20), 2.0, None, None) for cfg in (2.9, 15.1)),
        *(((7.0, 20), cfg, None, None) for cfg in (3.0, 15.0)),
        *(((7.0, steps), None, 7, Notice(key=FEW, values={"usual": steps})) for steps in (8, 50)),
        *(((7.0, steps), None, 51, Notice(key=MANY, values={"usual": steps})) for steps in (8, 50)),
        *(((7.0, steps), None, 6, None) for steps in (7, 51)),
        *(((7.0, 20), None, steps, None) for steps in (8, 50)),
    ],
)
def test_numbers_that_seldom_do_what_is_hoped_for_are_told(
    request_: GenerationRequest, usual: tuple[float, int], cfg: float | None, steps: int | None, told: Notice | None
) -> None:
    spec = ModelSpec(
        key="some",
        title="Some",
        source=FolderSource(path="/nowhere"),
        family="sd",
        license="",
        defaults=Defaults(cfg=usual[0], steps=usual[1]),
    )
    drawn = msgspec.structs.replace(
        request_, guidance_scale=cfg or spec.defaults.cfg, num_inference_steps=steps or spec.defaults.steps
    )
    assert advice(Preferences(guidance_scale=cfg, num_inference_steps=steps), drawn, spec) == told
    # Nobody typed it.
    assert advice(Preferences(), drawn, spec) is None


@pytest.mark.parametrize(("cfg", "is_told"), [(1.0, True), (1.1, False)])
def test_without_guidance_a_negative_prompt_has_no_effect(
    request_: GenerationRequest, cfg: float, is_told: bool
) -> None:
    spec = ModelSpec(key="some", title="Some", source=FolderSource(path="/nowhere"), family="sd", license="")
    drawn = msgspec.structs.replace(request_, guidance_scale=cfg, num_inference_steps=20)
    told = advice(Preferences(negative_prompt="rain"), drawn, spec)
    assert told == (Notice(key="notice-advice-negative", values={"cfg": "1"}) if is_told else None)
