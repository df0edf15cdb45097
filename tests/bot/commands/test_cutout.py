"""`/cutout`: there where the catalogue lists a network, and with a choice where it lists several."""

from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from bot.commands.cutout import make_cutout
from bot.errors import Refused
from bot.interactions.services import Services
from bot.requests.cutting import cutout_network_of, cutout_request
from bot.requests.options.takes import GivenPicture
from config.catalogue import Catalogue
from pipeline.protocol.catalogue.networks import CutoutSpec

FIRST = CutoutSpec(key="first", title="First", path="first.onnx", license="MIT", family="u2net")
SECOND = msgspec.structs.replace(FIRST, key="second", title="Second")


def offering(catalogue: Catalogue, *specs: CutoutSpec, missing: tuple[str, ...] = ()) -> Catalogue:
    return msgspec.structs.replace(catalogue, cutouts={spec.key: spec for spec in specs}, missing=missing)


def test_only_several_networks_are_a_choice(catalogue: Catalogue) -> None:
    for specs, options in (((FIRST,), {}), ((FIRST, SECOND), {"network": ["first", "second"]})):
        services = cast("Services", SimpleNamespace(catalogue=offering(catalogue, *specs)))
        choices = {each.name: [choice.value for choice in each.choices] for each in make_cutout(services).parameters}
        assert choices == {"image": [], **options}


def test_the_first_network_that_can_be_used_is_the_usual_one(catalogue: Catalogue) -> None:
    both = offering(catalogue, FIRST, SECOND, missing=("first",))
    assert cutout_network_of(both, None) is SECOND
    request = cutout_request(GivenPicture(sha256="ab", sides=(30, 20)), SECOND)
    assert (request.width, request.height, request.model_key) == (30, 20, "second")
    assert [(each.role, each.sha256) for each in request.inputs] == [("source", "ab")]


@pytest.mark.parametrize(
    ("specs", "missing", "asked", "key"),
    [
        ((), (), None, "refused-cutout-nowhere"),
        ((FIRST,), ("first",), None, "refused-cutout-nowhere"),
        ((FIRST,), ("first",), "first", "refused-model-unavailable"),
        ((FIRST,), (), "second", "refused-model-unavailable"),
    ],
)
def test_what_is_not_offered_is_refused(
    catalogue: Catalogue, specs: tuple[CutoutSpec, ...], missing: tuple[str, ...], asked: str | None, key: str
) -> None:
    with pytest.raises(Refused) as refused:
        cutout_network_of(offering(catalogue, *specs, missing=missing), asked)
    assert refused.value.key == key
