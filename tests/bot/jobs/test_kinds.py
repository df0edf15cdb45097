"""The table of kinds: a row for each kind of request, and what the row of pictures says."""

import msgspec
import pytest

from bot.jobs.kinds import KINDS, kind_of, workload_of
from bot.quotas.pricing import price, rows
from bot.store.timings import Workload
from config.catalogue import Catalogue
from pipeline.protocol.requests import REQUEST_TYPES, GenerationRequest, Upscale


def test_every_kind_has_a_row() -> None:
    assert [*KINDS] == [*REQUEST_TYPES]


@pytest.mark.parametrize("upscale", [None, Upscale(scale=2, strength=0.5)])
def test_a_pictures_time_depends_on_pixels_rows_and_their_number(
    request_: GenerationRequest, upscale: Upscale | None
) -> None:
    request = msgspec.structs.replace(request_, width=128, num_images=3, upscale=upscale)
    work = Workload(kind="image", model_key="pocket", size=128 * 64, rows=rows(request), outputs=3)
    assert workload_of(request) == work


def test_a_picture_costs_what_its_steps_cost(request_: GenerationRequest, catalogue: Catalogue) -> None:
    models = catalogue.default, catalogue.default
    request = msgspec.structs.replace(request_, num_images=4)
    assert kind_of(request).price(request, *models, "work", {}) == price(request, *models, "work")
