"""Image check: rates pictures that a job made or was given, before anybody sees them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec
from PIL import Image

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import FlaggedInput, InvalidRequest
from pipeline.engine.pixels.blocked import is_blocked
from pipeline.engine.pixels.picture_classifier import Classes, classify
from pipeline.engine.pixels.previews import images_in
from pipeline.engine.pixels.safety_checker import SafetyChecker
from pipeline.images.decode import UnreadablePicture, read_png
from pipeline.protocol.inputs import shown
from pipeline.protocol.wire.messages import Check, Checked, Submit
from pipeline.protocol.wire.outputs import Rated, Rating, is_refused
from pipeline.protocol.wire.settings import NO_CHECKING, Checking, CheckMode, ImageThresholds

_MAX_DETAIL: Final = 300
STRICT: Final = ImageThresholds(sexual=0.5, suggestive=0.5)
"""Highest thresholds of the mode `strict`. The classifier calls soft color gradients sexual up to 0.47."""


class ImageCheck:
    """Rates pictures with the shipped classifier, with a safety checker, or with both: the stricter one decides.

    Args:
        thresholds: of the classifier; None leaves it out, but for the mode `strict`.
        safety_checker: the owner's safety checker, whose flagged pictures are sexual; None leaves it out.
        placement: its accelerator may run the classifier; None runs it in torch.
    """

    def __init__(
        self,
        thresholds: ImageThresholds | None,
        safety_checker: SafetyChecker | None = None,
        placement: Placement | None = None,
    ) -> None:
        self._thresholds = thresholds
        self._placement = placement
        self._safety_checker = safety_checker

    def can(self, mode: CheckMode) -> bool:
        """Whether it can do this. It can always be strict, since the classifier comes with Easel."""
        has_network = self._thresholds is not None or self._safety_checker is not None
        return has_network or mode in ("none", "strict")

    def ratings(self, pictures: Sequence[Image.Image], checking: Checking) -> list[Rated]:
        """The rating of each RGB picture."""
        found = [Rated()] * len(pictures)
        thresholds = self._thresholds_for(checking.mode)
        if thresholds is not None:
            found = [_rating(classes, thresholds) for classes in classify(pictures, self._placement)]
        if self._safety_checker is not None and checking.mode != "none":
            flags = self._safety_checker.flagged(pictures)
            found = [
                Rated(rating=Rating.SEXUAL) if flag and rated.rating is not Rating.SEXUAL else rated
                for flag, rated in zip(flags, found, strict=True)
            ]
        return [
            Rated(rating=Rating.BLOCKED) if is_blocked(picture, checking.blocked) else rated
            for picture, rated in zip(pictures, found, strict=True)
        ]

    def judges_previews(self, checking: Checking) -> bool | None:
        """Whether it can judge previews: the classifier can, the safety checker would cost the steps too much.

        None if there is nothing to judge.
        """
        if checking.mode in ("hide", "strict"):
            return self._safety_checker is None and self._thresholds_for(checking.mode) is not None
        return True if checking.blocked else None

    def is_harmless_preview(self, data: bytes, count: int, checking: Checking) -> bool:
        """Whether a WebP picture of `count` images side by side may be shown with its details.

        An image that is not finished is judged less surely, so half of each threshold is too much.
        """
        images = images_in(data, count)
        if any(is_blocked(image, checking.blocked) for image in images):
            return False
        thresholds = self._thresholds_for(checking.mode)
        if thresholds is None or checking.mode == "rate":
            return True
        half = ImageThresholds(sexual=thresholds.sexual / 2, suggestive=thresholds.suggestive / 2)
        return all(_rating(classes, half).rating is Rating.HARMLESS for classes in classify(images, self._placement))

    def answer(self, asked: Check) -> Checked:
        """Rate pictures that a job is about to be given. Any thread may call it."""
        try:
            found = self.ratings(list(map(read_png, asked.pictures)), asked.checking)
        # Whatever happens, the bot waits for an answer, and the job's start checks the pictures again.
        except Exception as error:  # noqa: BLE001 - see above
            return Checked(question=asked.question, detail=repr(error)[:_MAX_DETAIL])
        return Checked(question=asked.question, ratings=tuple(rated.rating for rated in found))

    def _thresholds_for(self, mode: CheckMode) -> ImageThresholds | None:
        """The thresholds of the classifier; None if it does not look."""
        if mode == "none":
            return None
        if mode != "strict":
            return self._thresholds
        owners = self._thresholds or STRICT
        return ImageThresholds(
            sexual=min(owners.sexual, STRICT.sexual), suggestive=min(owners.suggestive, STRICT.suggestive)
        )


def check_inputs(submit: Submit, check: ImageCheck) -> None:
    """Check the pictures of an attempt.

    Raises:
        FlaggedInput: nothing may be drawn from one of them.
        InvalidRequest: a file cannot be read.
    """
    checking = submit.checking
    if checking.mode == "rate":  # nothing that it finds would be refused
        checking = msgspec.structs.replace(checking, mode="none")
    hashes = shown(submit.request.inputs)
    files = [file for sha256, file in submit.pictures.items() if sha256 in hashes]
    if not files or checking == NO_CHECKING:
        return
    try:
        pictures = [read_png(file) for file in files]
    except UnreadablePicture as error:
        raise InvalidRequest(str(error)) from error
    if hidden(dict(enumerate(check.ratings(pictures, checking))), checking):
        raise FlaggedInput("The image check does not let pass a picture that the job was given.")


def hidden(ratings: Mapping[int, Rated], checking: Checking) -> Collection[int]:
    """Indexes of the pictures that nobody may see, of a job's pictures with these ratings."""
    found = {index for index, rated in ratings.items() if is_refused(rated.rating, checking.mode)}
    return ratings.keys() if found and checking.mode == "strict" else found


def _rating(classes: Classes, thresholds: ImageThresholds) -> Rated:
    sexual = classes.porn + classes.hentai
    if sexual >= thresholds.sexual:
        return Rated(rating=Rating.SEXUAL, score=sexual)
    return Rated(rating=Rating.SUGGESTIVE, score=classes.sexy) if classes.sexy >= thresholds.suggestive else Rated()
