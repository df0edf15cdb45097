"""Reference adapters and image encoders on the device, and which adapters can be offered."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from torch import nn
from transformers import CLIPVisionConfig

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.memory import restore
from pipeline.engine.models.networks import ImageEncoderSpec, NetworkOffer
from pipeline.engine.references.encoder import ImageEncoder, check_encoder
from pipeline.engine.references.files import AdapterFile, look_through
from pipeline.engine.references.network import ReferenceNetwork
from pipeline.engine.weights.fingerprints import Weights, weights_of
from pipeline.engine.weights.hub import folder_of
from pipeline.protocol.catalogue.networks import ReferenceSpec


class LoadedReference:
    """A reference adapter on its device.

    Attributes:
        spec: the catalogue's entry.
        weights: its file with its identity when it was read.
        network: its own weights.

    Raises:
        ModelUnavailable: the file is missing or broken.
    """

    def __init__(self, spec: ReferenceSpec, placement: Placement) -> None:
        self.spec: Final = spec
        self.weights: Final[Weights] = weights_of(spec)
        self.network: Final = ReferenceNetwork(Path(spec.source.path))
        self.network.to(placement.device, placement.dtype)
        if placement.device.type == "cpu":
            # On a CPU the weights are a memory-mapped file: a later write to it would change the network.
            restore(self.modules, placement.device)
        if weights_of(spec) != self.weights:
            raise ModelUnavailable(f"The file of {spec.title} was replaced while it was read; try again.")

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights, for measuring and moving."""
        return (self.network,)


class LoadedImageEncoder:
    """An image encoder on its device; several adapters may share it.

    Attributes:
        spec: where it lies.
        weights: its files with their identities when they were read.
        encoder: the encoder.

    Raises:
        ModelUnavailable: a file is missing or broken, or not downloaded yet.
    """

    def __init__(self, spec: ImageEncoderSpec, placement: Placement, cache_directory: str | None) -> None:
        self.spec: Final = spec
        self.weights: Final[Weights] = weights_of(spec)
        folder = folder_of(spec.source, cache_directory, f"The {spec.title}", spec.entry_key)
        self.encoder: Final = ImageEncoder(folder, placement)
        if placement.device.type == "cpu":
            restore(self.modules, placement.device)
        if weights_of(spec) != self.weights:
            raise ModelUnavailable(f"The files of the {spec.title} were replaced while they were read; try again.")

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights, for measuring and moving."""
        return (self.encoder.module,)


def check_references(specs: Iterable[ReferenceSpec], cache_directory: str | None = None) -> NetworkOffer:
    """Check the files of every adapter and of its encoder by their headers; those of a hub must be downloaded."""
    offer = NetworkOffer()
    for spec in specs:
        try:
            facts = look_through(Path(spec.source.path))
            folder = folder_of(spec.encoder, cache_directory, f"The image encoder of {spec.title}", spec.key)
            check_fit(spec, facts, check_encoder(folder))
            offer.text_features[spec.key] = facts.text_features
            offer.remarks[spec.key] = f"It is a {facts.kind} IP-Adapter with {len(facts.layers)} layers."
        except ModelUnavailable as error:
            offer.missing[spec.key] = str(error)
    return offer


def check_fit(spec: ReferenceSpec, facts: AdapterFile, config: CLIPVisionConfig) -> None:
    """Check that an adapter was trained with an encoder of this configuration.

    Raises:
        ModelUnavailable: it was trained with another encoder.
    """
    features = config.projection_dim if facts.kind == "plain" else config.hidden_size
    if features != facts.image_features:
        raise ModelUnavailable(
            f"The reference adapter {spec.title} reads an image encoder of {facts.image_features} features, and its "
            f"encoder in the catalogue has {features}; name the encoder that it was trained with."
        )
