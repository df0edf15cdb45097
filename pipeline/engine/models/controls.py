"""Control networks of the catalogue on the device, and which of them can be offered."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from torch import nn

from pipeline.engine.control.nets import Adapter, ControlModule, ControlNet
from pipeline.engine.control.preprocessing import Preprocessor, check_preprocessor, read_preprocessor
from pipeline.engine.control.reading import check_network, read_network
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import InvalidRequest, ModelUnavailable, blaming
from pipeline.engine.models.memory import restore
from pipeline.engine.models.networks import ControlNetworkSpec, NetworkOffer, control_network_of
from pipeline.engine.weights.fingerprints import Weights, weights_of
from pipeline.engine.weights.finite import check_numbers
from pipeline.protocol.catalogue.networks import ControlSpec
from pipeline.protocol.inputs import Input


class LoadedControlNetwork:
    """The network of one or several control nets on its device.

    Attributes:
        spec: where it lies.
        weights: its files with their identities when they were read.
        modules: all modules with weights, for measuring and moving.

    Raises:
        ModelUnavailable: a file is missing or broken, or the network is another one than the catalogue names.
    """

    def __init__(self, spec: ControlNetworkSpec, placement: Placement, cache_directory: str | None) -> None:
        self.spec: Final = spec
        with blaming(f"The control net {spec.title} cannot be loaded"):
            check_network(spec.entry, cache_directory)
            self.weights: Final[Weights] = weights_of(spec)
            module = read_network(spec.entry, placement.dtype, cache_directory)
            module.to(placement.device, placement.dtype).eval().requires_grad_(False)
            if placement.device.type == "cpu":
                # On a CPU the weights are memory-mapped files: a later write to one would change the network.
                restore((module,), placement.device)
            if weights_of(spec) != self.weights:
                raise ModelUnavailable(f"The files of {spec.title} were replaced while they were read; try again.")
            check_numbers({"control_net": module}, f"of {spec.title}")
            is_adapter = spec.entry.kind == "t2i-adapter"
            self._network: Final = Adapter(module, placement) if is_adapter else ControlModule(module, placement)
        self._nets: dict[int | None, ControlNet] = {}
        parts = (module,) if isinstance(self._network, Adapter) else (module, self._network.embedding)
        self.modules: Final[tuple[nn.Module, ...]] = parts

    def of(self, union_type: int | None) -> ControlNet | Adapter:
        """The network for pictures of one kind; the kind counts for a union alone."""
        if isinstance(self._network, Adapter):
            return self._network
        if union_type not in self._nets:
            key = self.spec.entry.key if union_type is None else f"{self.spec.entry.key} {union_type}"
            self._nets[union_type] = ControlNet(self._network, key=key, union_type=union_type)
        return self._nets[union_type]


class LoadedControl:
    """The entry of a control net, with the preprocessor of its pictures on the device.

    Attributes:
        spec: the catalogue's entry.
        weights: files of the network with their present identities.
        preprocessor: makes the map that the network reads from a picture.

    Raises:
        ModelUnavailable: a file is missing or broken, or the network is another one than the catalogue names.
    """

    def __init__(self, spec: ControlSpec, placement: Placement, cache_directory: str | None) -> None:
        self.spec: Final = spec
        with blaming(f"The control net {spec.title} cannot be loaded"):
            check_network(spec, cache_directory)
            self.weights: Final[Weights] = weights_of(spec)
            self.preprocessor: Final[Preprocessor] = read_preprocessor(spec, placement, cache_directory)
            if placement.device.type == "cpu":
                restore(self.modules, placement.device)

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights, for measuring and moving."""
        return self.preprocessor.modules


class Control(NamedTuple):
    """A control net that a job takes: its entry with the preprocessor, and its network."""

    loaded: LoadedControl
    network: ControlNet | Adapter

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
            raise InvalidRequest(f"The control net {self.loaded.spec.title} was trained for other models than {title}.")


def control_in(networks: Mapping[str, object], given: Input) -> Control:
    """The control net of an input, of a job's networks by key.

    Raises:
        InvalidRequest: the entry is something else.
    """
    found = networks.get(given.network)
    if not isinstance(found, LoadedControl):
        raise InvalidRequest(f"The catalogue has no control net {given.network!r}.")
    network = networks[control_network_of(found.spec).key]
    if not isinstance(network, LoadedControlNetwork):
        raise AssertionError("A control net came without its network.")  # noqa: TRY004 - a programming error
    return Control(found, network.of(found.spec.union_type))


def check_controls(specs: Iterable[ControlSpec], cache_directory: str | None = None) -> NetworkOffer:
    """Check the files of every control net and of its preprocessor; those of a hub must be downloaded."""
    offer = NetworkOffer()
    for spec in specs:
        try:
            with blaming(f"The files of {spec.title} cannot be looked through"):
                features = check_network(spec, cache_directory)
                remark = check_preprocessor(spec, cache_directory)
        except ModelUnavailable as error:
            offer.missing[spec.key] = str(error)
            continue
        offer.remarks[spec.key] = remark
        if features is not None:
            offer.text_features[spec.key] = features
    return offer
