"""Prepares the control pictures of a job once, before its first step."""

from collections.abc import Mapping

import torch
from PIL import Image

from pipeline.engine.control.nets import Adapter
from pipeline.engine.control.rows import FeatureControl, NetControl, RowControl
from pipeline.engine.failures import BrokenImage
from pipeline.engine.models.controls import Control, control_in
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.engine.steps.jobs.given_pictures import picture_in
from pipeline.engine.steps.jobs.picture_state import JobControl
from pipeline.images.decode import fitted, to_pixels
from pipeline.protocol.passes import Pass
from pipeline.protocol.requests import Input


@torch.inference_mode()
def prepared_controls(job: DenoisingJob, files: Mapping[str, bytes]) -> tuple[JobControl, ...]:
    """The control pictures of a job, as what steers its rows in each pass.

    A picture is cropped to the size of a pass as an init image is, and not stretched. Then the preprocessor of its net
    makes a map of it, unless it is one already. The network's part that does not depend on the step runs here.

    Args:
        job: a job whose control nets are loaded.
        files: PNG files of the request by SHA-256.

    Raises:
        InvalidRequest: a picture cannot be read, or holds nothing that the net could follow.
        BrokenImage: features hold NaN or infinity.
        torch.OutOfMemoryError: the memory is full.
    """
    return tuple(_prepared(job, given, picture_in(files[given.sha256])) for given in job.request.controls)


def _prepared(job: DenoisingJob, given: Input, picture: Image.Image) -> JobControl:
    control = control_in(job.networks, given)
    rows = tuple(_row(control, given, _map(control, given, picture, one_pass)) for one_pass in job.passes)
    is_pooling = not isinstance(control.network, Adapter) and control.network.is_pooling
    return JobControl(given=given, rows=rows, is_guess=given.is_guess or is_pooling)


def _map(control: Control, given: Input, picture: Image.Image, one_pass: Pass) -> Image.Image:
    cropped = fitted(picture, one_pass.width, one_pass.height)
    found = cropped if given.is_map else control.loaded.preprocessor.map_of(cropped)
    is_gray = isinstance(control.network, Adapter) and control.network.is_gray
    return found.convert("L").convert("RGB") if is_gray else found


def _row(control: Control, given: Input, found: Image.Image) -> RowControl:
    network, pixels = control.network, to_pixels(found)
    if isinstance(network, Adapter):
        features = network.features(pixels, given.strength)
        _check(*features)
        return FeatureControl(features=features)
    hint = network.hint(pixels)
    _check(hint)
    return NetControl(net=network, hint=hint, scales=network.scales(given.strength, is_guess=given.is_guess))


def _check(*features: torch.Tensor) -> None:
    if not all(bool(each.isfinite().all()) for each in features):
        raise BrokenImage("The features of a control picture hold NaN or infinity.")
