"""The request to enlarge a picture: its scale, its bounds, and its upscaler."""

import msgspec
import pytest

from bot.errors import Refused
from bot.requests.enlarging.upscale import upscale_request, upscaler_of
from bot.requests.options.takes import GivenPicture
from config.catalogue import Catalogue


def given(width: int, height: int) -> GivenPicture:
    return GivenPicture(sha256="ab", sides=(width, height))


@pytest.mark.parametrize(
    ("sides", "scale", "used"),
    [
        ((64, 64), None, 4),
        ((64, 64), 2, 2),
        ((1_024, 1_024), None, 4),
        ((1_025, 1_024), None, 2),
        ((2_048, 2_048), 2, 2),
    ],
)
def test_without_a_scale_it_is_the_greatest_that_is_possible(
    catalogue: Catalogue, sides: tuple[int, int], scale: int | None, used: int
) -> None:
    request = upscale_request(given(*sides), scale, upscaler_of(catalogue, None))
    assert (request.scale, request.width, request.height) == (used, *sides)
    assert [(each.role, each.sha256) for each in request.inputs] == [("source", "ab")]


@pytest.mark.parametrize(
    ("sides", "scale", "was_shrunk", "key", "fitting"),
    [
        ((1_025, 1_024), 4, False, "refused-upscale-result", "2"),
        ((64, 64), 3, False, "refused-upscale-scale", None),
        ((2_048, 64), 2, True, "refused-upscale-picture", None),
    ],
)
def test_what_is_too_large_is_refused(
    catalogue: Catalogue, sides: tuple[int, int], scale: int, was_shrunk: bool, key: str, fitting: str | None
) -> None:
    with pytest.raises(Refused) as refused:
        upscale_request(given(*sides), scale, upscaler_of(catalogue, None), was_shrunk=was_shrunk)
    assert refused.value.key == key
    assert refused.value.values.get("fitting") == fitting


def test_an_upscaler_is_the_named_one_or_the_first(catalogue: Catalogue) -> None:
    (shipped,) = catalogue.upscalers.values()
    other = msgspec.structs.replace(shipped, key="other")
    catalogue.upscalers = {shipped.key: shipped, "other": other}
    assert (upscaler_of(catalogue, None), upscaler_of(catalogue, "other")) == (shipped, other)
    with pytest.raises(Refused, match="refused-model-unavailable"):
        upscaler_of(catalogue, "gone")
    catalogue.upscalers = {}
    with pytest.raises(Refused, match="refused-upscale-nowhere"):
        upscaler_of(catalogue, None)
