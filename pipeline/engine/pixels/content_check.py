"""Content check of the pictures that a job is given, before anything is drawn from them.

The pictures that a job makes are checked where it is finished: in `engine/finishing/`.
"""

from pipeline.engine.failures import FlaggedInput, InvalidRequest
from pipeline.engine.pixels.safety_checker import SafetyChecker
from pipeline.images.decode import UnreadablePicture, read_png
from pipeline.protocol.inputs import InputRole
from pipeline.protocol.wire.messages import Submit


def check_inputs(submit: Submit, checker: SafetyChecker) -> None:
    """Check the pictures of an attempt. A mask is not checked: it says where, and shows nothing.

    Raises:
        FlaggedInput: the safety checker flags one of them.
        InvalidRequest: a file cannot be read.
    """
    shown = {each.sha256 for each in submit.request.inputs if each.role is not InputRole.MASK}
    files = [file for sha256, file in submit.pictures.items() if sha256 in shown]
    if not files:
        return
    try:
        pictures = [read_png(file) for file in files]
    except UnreadablePicture as error:
        raise InvalidRequest(str(error)) from error
    if any(checker.flagged(pictures)):
        raise FlaggedInput("The safety checker flagged a picture that the job was given.")
