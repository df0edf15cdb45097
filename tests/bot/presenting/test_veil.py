"""Pictures that the image check does not call harmless: behind a spoiler, and the message says why."""

import pytest
from discord import ui

from bot.jobs.image_checking import is_veiled
from bot.presenting.images import done_message
from bot.presenting.jobs.job_message import Allowance
from bot.presenting.jobs.output_files import ShownOutput
from config.catalogue import Catalogue
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Rating
from tests.example_jobs import example_job, from_elsewhere


@pytest.mark.parametrize(
    ("rating", "among_adults", "elsewhere"),
    [(Rating.HARMLESS, False, False), (Rating.SUGGESTIVE, False, True), (Rating.SEXUAL, True, True)],
)
def test_a_channel_decides_what_is_veiled(
    request_: GenerationRequest, rating: Rating, among_adults: bool, elsewhere: bool
) -> None:
    job = example_job(request_)
    assert is_veiled(from_elsewhere(job, is_age_restricted=True), rating) is among_adults
    assert is_veiled(job, rating) is elsewhere


def test_a_veiled_picture_is_a_spoiler_and_the_message_says_why(
    request_: GenerationRequest, catalogue: Catalogue
) -> None:
    outputs = tuple(
        ShownOutput(index=k, file_name=f"{k}.png", data=b"", sides=(256, 256), is_veiled=k == 1) for k in range(2)
    )
    view = done_message.done(
        example_job(request_), outputs=outputs, spec=catalogue.default, allowance=Allowance(left=None)
    )
    (gallery,) = (item for item in view.walk_children() if isinstance(item, ui.MediaGallery))
    assert [image.spoiler for image in gallery.items] == [False, True]
    assert "A picture is behind a spoiler" in str(view.to_components())
