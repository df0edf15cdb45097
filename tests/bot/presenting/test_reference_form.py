"""The form for a job that starts from a picture of a message."""

from typing import Any

import pytest

from bot.presenting.custom_ids import read_reference, reference_id
from bot.presenting.images.reference_form import reference_form
from bot.presenting.texts import LANGUAGES, spoken
from bot.requests.uses import STRENGTHS
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.inputs import Use

KEY = "0123456789abcdef"


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_asks_for_prompt_strength_and_size_in_words(catalogue: Catalogue, language: str) -> None:
    with spoken(language):
        form: dict[str, Any] = dict(
            reference_form(reference_id(KEY), catalogue.default, {"start": "start"}, LimitSettings()).to_dict()
        )
    assert read_reference(form["custom_id"]) == KEY
    assert len(form["title"]) <= 45
    assert all(len(label["label"]) <= 45 for label in form["components"])
    assert all(len(label.get("description") or "") <= 100 for label in form["components"])
    prompt, strength, size, copy = (label["component"] for label in form["components"])
    assert (prompt["custom_id"], prompt["required"], prompt.get("value")) == ("prompt", True, None)
    assert [option["value"] for option in strength["options"]] == list(STRENGTHS)
    chosen = [option["value"] for field in (strength, size) for option in field["options"] if option.get("default")]
    assert chosen == ["medium", "kept"]
    assert (copy["custom_id"], copy["required"]) == ("copy", False)


def test_a_model_that_draws_no_part_anew_is_asked_for_no_copy(catalogue: Catalogue) -> None:
    spec = catalogue.default.narrowed(None, (Capability.MASK,))
    form = reference_form(reference_id(KEY), spec, {"start": "start"}, LimitSettings())
    assert len(form.children) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_with_several_uses_lets_members_choose(catalogue: Catalogue, language: str) -> None:
    uses = {**dict.fromkeys(Use, "a use"), "lines my-net": "m" * 200}
    with spoken(language):
        form: dict[str, Any] = dict(
            reference_form(reference_id(KEY), catalogue.default, uses, LimitSettings()).to_dict()
        )
    assert len(form["components"]) <= 5
    use = form["components"][1]["component"]
    assert use["custom_id"] == "use"
    assert [option["value"] for option in use["options"]] == ["kept", *list(Use)[1:], "lines my-net"]
    assert max(len(option["label"]) for option in use["options"]) == 100
    assert [option["value"] for option in use["options"] if option.get("default")] == ["kept"]


@pytest.mark.parametrize("found", ["easel:remix:7", "easel-reference:7", f"easel-reference:{KEY}0", "easel-reference:"])
def test_other_ids_are_no_picked_picture(found: str) -> None:
    assert read_reference(found) is None
