"""Image check: rates pictures that a job made or was given, before anybody sees them."""

from collections.abc import Sequence
from typing import Final

from PIL import Image

from pipeline.engine.failures import FlaggedInput, InvalidRequest
from pipeline.engine.pixels.picture_classifier import Classes, classify
from pipeline.engine.pixels.previews import images_in
from pipeline.engine.pixels.safety_checker import SafetyChecker
from pipeline.images.decode import UnreadablePicture, read_png
from pipeline.protocol.inputs import shown
from pipeline.protocol.wire.messages import Check, Checked, Submit
from pipeline.protocol.wire.outputs import Rating
from pipeline.protocol.wire.settings import Checking, ImageThresholds

_MAX_DETAIL: Final = 300


class ImageCheck:
    """Rates pictures with the shipped classifier, with a safety checker, or with both: the stricter one decides.

    Args:
        thresholds: of the classifier; None leaves it out.
        safety_checker: the owner's safety checker, whose flagged pictures are sexual; None leaves it out.
    """

    def __init__(self, thresholds: ImageThresholds | None, safety_checker: SafetyChecker | None = None) -> None:
        self._thresholds = thresholds
        self._safety_checker = safety_checker

    def ratings(self, pictures: Sequence[Image.Image]) -> list[Rating]:
        """The rating of each RGB picture."""
        found = [Rating.HARMLESS] * len(pictures)
        if self._thresholds is not None:
            found = [_rating(classes, self._thresholds) for classes in classify(pictures)]
        if self._safety_checker is not None:
            flags = self._safety_checker.flagged(pictures)
            found = [Rating.SEXUAL if flag else rating for flag, rating in zip(flags, found, strict=True)]
        return found

    @property
    def judges_previews(self) -> bool:
        """Whether it can judge previews: the classifier can, the safety checker would cost the steps too much."""
        return self._thresholds is not None and self._safety_checker is None

    def is_harmless_preview(self, data: bytes, count: int) -> bool:
        """Whether a WebP picture of `count` images side by side may be shown with its details.

        An image that is not finished is judged less surely, so half of each threshold is too much.
        """
        if self._thresholds is None:
            return False
        half = ImageThresholds(sexual=self._thresholds.sexual / 2, suggestive=self._thresholds.suggestive / 2)
        return all(_rating(classes, half) is Rating.HARMLESS for classes in classify(images_in(data, count)))

    def answer(self, asked: Check) -> Checked:
        """Rate pictures that a job is about to be given. Any thread may call it."""
        try:
            return Checked(question=asked.question, ratings=tuple(self.ratings(list(map(read_png, asked.pictures)))))
        # Whatever happens, the bot waits for an answer, and the job's start checks the pictures again.
        except Exception as error:  # noqa: BLE001 - see above
            return Checked(question=asked.question, detail=repr(error)[:_MAX_DETAIL])


def check_inputs(submit: Submit, check: ImageCheck) -> None:
    """Check the pictures of an attempt.

    Raises:
        FlaggedInput: one of them is sexual.
        InvalidRequest: a file cannot be read.
    """
    hashes = shown(submit.request.inputs)
    files = [file for sha256, file in submit.pictures.items() if sha256 in hashes]
    if not files:
        return
    try:
        pictures = [read_png(file) for file in files]
    except UnreadablePicture as error:
        raise InvalidRequest(str(error)) from error
    if Rating.SEXUAL in check.ratings(pictures):
        raise FlaggedInput("The image check calls a picture sexual that the job was given.")


def is_hidden(rating: Rating, checking: Checking) -> bool:
    """Whether nobody may see a picture with this rating."""
    return checking == "hide" and rating is Rating.SEXUAL


def _rating(classes: Classes, thresholds: ImageThresholds) -> Rating:
    if classes.porn + classes.hentai >= thresholds.sexual:
        return Rating.SEXUAL
    return Rating.SUGGESTIVE if classes.sexy >= thresholds.suggestive else Rating.HARMLESS
