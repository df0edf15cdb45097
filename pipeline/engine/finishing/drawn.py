"""Finishes pictures that engines of others drew, as `Finisher` does those of our own models."""

from typing import Final

from pipeline.engine.pixels.image_check import ImageCheck, hidden
from pipeline.engine.pixels.previews import as_coarse_preview, as_preview
from pipeline.images.decode import read_png
from pipeline.images.encode import encode, resampled
from pipeline.images.parameters import parameters_text
from pipeline.protocol.provenance.source_types import source_type_of
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.outputs import Notice
from pipeline.protocol.wire.settings import ImageOutput

_MAX_DETAIL: Final = 300


class DrawnFinisher:
    """Checks, labels and encodes such pictures. Any thread may call it.

    Args:
        check: the image check.
        output: format of the image files.
    """

    def __init__(self, check: ImageCheck, output: ImageOutput) -> None:
        self._check = check
        self._output = output

    def answer(self, asked: FinishPictures) -> FinishedPictures:
        """Make files of pictures, or a preview. Without an image check for a checked job, there are none."""
        try:
            return self._previewed(asked) if asked.is_preview else self._finished(asked)
        # Whatever happens, the bot waits for an answer.
        except Exception as error:  # noqa: BLE001 - see above
            return FinishedPictures(question=asked.question, detail=repr(error)[:_MAX_DETAIL])

    def _previewed(self, asked: FinishPictures) -> FinishedPictures:
        """A preview; one without details if the image check does not call it harmless."""
        check, checking, picture = self._check, asked.checking, read_png(asked.pictures[0])
        is_judged = check.judges_previews(checking)
        data = as_preview(picture)
        if is_judged is False or (is_judged and not check.is_harmless_preview(data, 1, checking)):
            data = as_coarse_preview(picture)
        return FinishedPictures(question=asked.question, preview=data)

    def _finished(self, asked: FinishPictures) -> FinishedPictures:
        request = asked.request
        if not self._check.can(asked.checking.mode):
            sentence = "There is no image check, and nothing may be shown without it."
            return FinishedPictures(question=asked.question, detail=sentence)
        pictures = [resampled(read_png(each), request.upscale) for each in asked.pictures]
        ratings = dict(enumerate(self._check.ratings(pictures, asked.checking)))
        out = hidden(ratings, asked.checking)
        outputs = tuple(
            encode(
                picture,
                parameters_text(request.single(index), asked.title),
                self._output,
                index=index,
                seed=request.single(index).last_seed,
                source_type=source_type_of(request),
                rating=ratings[index].rating,
            )
            for index, picture in enumerate(pictures)
            if index not in out
        )
        flagged = request.num_images - len(outputs)
        notice = Notice(key="notice-flagged", values={"count": flagged, "asked": request.num_images})
        return FinishedPictures(
            question=asked.question,
            outputs=outputs,
            hidden=tuple(rated.rating for index, rated in ratings.items() if index in out),
            scores=tuple(rated.score for index, rated in ratings.items() if index in out),
            notices=(notice,) if flagged else (),
        )
