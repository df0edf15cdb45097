"""Networks of the catalogue that find a foreground, and which of them can be offered."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from torch import nn

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.networks import NetworkOffer
from pipeline.engine.pixels.cutout import CutoutNetwork
from pipeline.engine.weights.file_identity import identity_of
from pipeline.engine.weights.fingerprints import Weights
from pipeline.protocol.catalogue.networks import CutoutSpec


class LoadedCutout:
    """A network that finds a foreground, on the processor.

    Attributes:
        spec: the catalogue's entry.
        weights: its file with its identity when it was read.
        network: the network.

    Raises:
        ModelUnavailable: the file is missing or broken, is no such network, or OpenVINO is missing.
    """

    modules: tuple[nn.Module, ...] = ()
    """It has none: OpenVINO holds the weights, and moves nothing."""

    def __init__(self, spec: CutoutSpec) -> None:
        path = Path(spec.path)
        self.spec: Final = spec
        self.weights: Final[Weights] = ((path, identity_of(path)),)
        self.network: Final = CutoutNetwork(spec)
        if identity_of(path) != self.weights[0][1]:
            raise ModelUnavailable(f"The file of {spec.title} was replaced while it was read; try again.")


def check_cutouts(specs: Iterable[CutoutSpec]) -> NetworkOffer:
    """Read the file of every network that finds a foreground."""
    offer = NetworkOffer()
    for spec in specs:
        try:
            side = CutoutNetwork(spec).side
            offer.remarks[spec.key] = f"It looks at {side} x {side} pixels."
        except ModelUnavailable as error:
            offer.missing[spec.key] = str(error)
    return offer
