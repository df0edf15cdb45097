"""Control networks of the catalogue on the device, and which of them can be offered."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from torch import nn

from pipeline.engine.control.nets import Adapter, ControlNet
from pipeline.engine.control.preprocessing import Preprocessor, check_preprocessor, read_preprocessor
from pipeline.engine.control.reading import check_network, read_network
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import InvalidRequest, ModelUnavailable, blaming
from pipeline.engine.models.memory import restore
from pipeline.engine.models.networks import NetworkOffer
from pipeline.engine.weights.fingerprints import Weights, weights_of
from pipeline.engine.weights.finite import check_numbers
from pipeline.protocol.catalogue.networks import ControlSpec
from pipeline.protocol.inputs import Input


class LoadedControl:
    """A control network on its device, with the preprocessor of its pictures.

    Attributes:
        spec: the catalogue's entry.
        weights: its files with their identities when they were read.
        network: the network.
        preprocessor: makes the map that the network reads from a picture.

    Raises:
        ModelUnavailable: a file is missing or broken, or the network is another one than the catalogue names.
    """

    def __init__(self, spec: ControlSpec, placement: Placement, cache_directory: str | None) -> None:
        self.spec: Final = spec
        with blaming(f"The control net {spec.title} cannot be loaded"):
            check_network(spec)
            self.weights: Final[Weights] = weights_of(spec)
            module = read_network(spec, placement.dtype, cache_directory)
            module.to(placement.device, placement.dtype).eval().requires_grad_(False)
            self.preprocessor: Final[Preprocessor] = read_preprocessor(spec, placement, cache_directory)
            if placement.device.type == "cpu":
                # On a CPU the weights are memory-mapped files: a later write to one would change the network.
                restore((module, *self.preprocessor.modules), placement.device)
            if weights_of(spec) != self.weights:
                raise ModelUnavailable(f"The files of {spec.title} were replaced while they were read; try again.")
            check_numbers({"control_net": module}, f"of {spec.title}")
            self.network: Final = _network(module, spec, placement)

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights, for measuring and moving."""
        return *self.network.modules, *self.preprocessor.modules

    def check_fits(self, unet: Any, title: str) -> None:
        """Check that the network was trained for the U-Net of a model.

        Args:
            unet: diffusers' configuration of the U-Net.
            title: the model's title.

        Raises:
            InvalidRequest: it was trained for another one, as for Stable Diffusion 2 instead of 1.
        """
        config = self.network.config
        widths = list(unet.block_out_channels)
        if isinstance(self.network, Adapter):
            fits = list(config.channels)[: len(widths)] == widths
        else:
            # Some nets have no attention to the text, and then no such width.
            fits = (
                list(config.block_out_channels) == widths
                and config.layers_per_block == unet.layers_per_block
                and config.cross_attention_dim == unet.cross_attention_dim
                and config.addition_embed_type == unet.addition_embed_type
            )
        if not fits:
            raise InvalidRequest(f"The control net {self.spec.title} was trained for other models than {title}.")


def control_in(networks: Mapping[str, object], given: Input) -> LoadedControl:
    """The control net of an input, of a job's networks by key.

    Raises:
        InvalidRequest: the entry is something else.
    """
    found = networks.get(given.network)
    if not isinstance(found, LoadedControl):
        raise InvalidRequest(f"The catalogue has no control net {given.network!r}.")
    return found


def _network(module: Any, spec: ControlSpec, placement: Placement) -> ControlNet | Adapter:
    if spec.kind == "t2i-adapter":
        return Adapter(module, placement)
    union_type = spec.union_type if spec.kind == "controlnet-union" else None
    return ControlNet(module, placement, key=spec.key, union_type=union_type)


def check_controls(specs: Iterable[ControlSpec]) -> NetworkOffer:
    """Check the files of every control net and of its preprocessor."""
    offer = NetworkOffer()
    for spec in specs:
        try:
            with blaming(f"The files of {spec.title} cannot be looked through"):
                features = check_network(spec)
                remark = check_preprocessor(spec)
        except ModelUnavailable as error:
            offer.missing[spec.key] = str(error)
            continue
        offer.remarks[spec.key] = remark
        if features is not None:
            offer.text_features[spec.key] = features
    return offer
