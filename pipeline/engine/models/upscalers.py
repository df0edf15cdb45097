"""Upscalers and networks for faces of the catalogue on the device, and which of them can be offered."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from torch import nn

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.memory import restore
from pipeline.engine.models.networks import NetworkOffer
from pipeline.engine.pixels.enlarging import PROCESSOR_SIDES, SIDES, Enlarging, Pixels
from pipeline.engine.pixels.faces import FaceNetwork, remark_about
from pipeline.engine.pixels.upscaler import LoadedEnlarger, read_enlarger
from pipeline.engine.weights.file_identity import identity_of
from pipeline.engine.weights.fingerprints import Weights
from pipeline.protocol.catalogue.networks import FaceSpec, UpscalerSpec


class LoadedUpscaler:
    """An upscaler on its device.

    Attributes:
        spec: the catalogue's entry.
        weights: its file with its identity when it was read.

    Raises:
        ModelUnavailable: the file is missing or broken, or enlarges nothing.
    """

    def __init__(self, spec: UpscalerSpec, placement: Placement) -> None:
        path = Path(spec.path)
        self.spec: Final = spec
        self.weights: Final[Weights] = ((path, identity_of(path)),)
        self._network = LoadedEnlarger(spec, placement)
        _settle(self, placement)
        self._sides: Sequence[int] = PROCESSOR_SIDES if placement.device.type == "cpu" else SIDES

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights, for measuring and moving."""
        return (self._network.module,)

    def begin(self, picture: Pixels, scale: int) -> Enlarging:
        """Begin to enlarge a picture [h, w, 3]."""
        return Enlarging(self._network, picture, scale, self._sides)


class LoadedFaces:
    """A network for faces on its device. `LoadedUpscaler` explains the attributes.

    Raises:
        ModelUnavailable: the file is missing or broken, or repairs no faces.
    """

    def __init__(self, spec: FaceSpec, placement: Placement) -> None:
        path = Path(spec.path)
        self.spec: Final = spec
        self.weights: Final[Weights] = ((path, identity_of(path)),)
        self.network: Final = FaceNetwork(spec, placement)
        _settle(self, placement)

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights, for measuring and moving."""
        return (self.network.module,)


def _settle(loaded: LoadedUpscaler | LoadedFaces, placement: Placement) -> None:
    """Make sure that the weights are those of the file's identity, and stay so."""
    if placement.device.type == "cpu":
        # On a CPU the weights are a memory-mapped file: a later write to it would change the network.
        restore(loaded.modules, placement.device)
    path, identity = loaded.weights[0]
    if identity_of(path) != identity:
        raise ModelUnavailable(f"The file of {loaded.spec.title} was replaced while it was read; try again.")


def check_upscalers(specs: Iterable[UpscalerSpec]) -> NetworkOffer:
    """Read the file of every upscaler. Its scale is one of the facts that only the file tells."""
    offer = NetworkOffer()
    for spec in specs:
        try:
            offer.remarks[spec.key] = f"It enlarges {read_enlarger(spec).scale} times at once."
        except ModelUnavailable as error:
            offer.missing[spec.key] = str(error)
    return offer


def check_faces(specs: Iterable[FaceSpec]) -> NetworkOffer:
    """Read the file of every network for faces: its architecture may have terms that the entry does not tell."""
    offer = NetworkOffer()
    for spec in specs:
        try:
            offer.remarks[spec.key] = remark_about(spec)
        except ModelUnavailable as error:
            offer.missing[spec.key] = str(error)
    return offer
