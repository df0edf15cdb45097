"""Networks that a job takes from the cache beside its model, such as control nets, upscalers and image encoders."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import msgspec

from pipeline.engine.failures import InvalidRequest
from pipeline.engine.weights.fingerprints import Sourced, Weights
from pipeline.protocol.catalogue.models import Entry, ModelSpec
from pipeline.protocol.catalogue.networks import (
    ControlSpec,
    FaceSpec,
    FolderSource,
    GuideSpec,
    HubSource,
    ReferenceSpec,
    Source,
    UpscalerSpec,
)
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import Request, UpscaleRequest


class NetworkOffer(msgspec.Struct, frozen=True, kw_only=True):
    """Why networks cannot be offered, and facts about the others, by their keys.

    Attributes:
        missing: why networks cannot be offered.
        remarks: sentences for the owner.
        text_features: width of the text that control nets and reference adapters were trained for, where it is known.
    """

    missing: dict[str, str] = {}
    remarks: dict[str, str] = {}
    text_features: dict[str, int] = {}


class ImageEncoderSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An image encoder of reference adapters; those that name the same files share one.

    Attributes:
        key: key in the cache; no entry of the catalogue has such a key.
        title: name in messages for the owner.
        source: folder or repository with the weights.
        entry_key: key of the first such adapter, for messages.
    """

    key: str
    title: str
    source: FolderSource | HubSource
    entry_key: str


class ControlNetworkSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The network of control nets; entries that name the same files share one, as those of a union do.

    Attributes:
        key: key in the cache; no entry of the catalogue has such a key.
        title: title of the first such entry, for messages.
        source: place of the weights.
        entry: that entry, by which the network is read.
    """

    key: str
    title: str
    source: Source
    entry: ControlSpec


class _Loaded(Protocol):
    """An entry that is loaded."""

    @property
    def spec(self) -> Any: ...
    @property
    def weights(self) -> Weights: ...


NetworkSpec: TypeAlias = GuideSpec | ImageEncoderSpec | ControlNetworkSpec
CacheEntry: TypeAlias = Entry | NetworkSpec
"""Everything that the cache can load."""


def encoder_of(spec: ReferenceSpec) -> ImageEncoderSpec:
    """The image encoder that an adapter reads."""
    source = spec.encoder
    place = source.path if isinstance(source, FolderSource) else f"{source.repo_id} {source.revision}"
    name = f"image encoder {place}"
    return ImageEncoderSpec(key=name, title=name, source=source, entry_key=spec.key)


def control_network_of(spec: ControlSpec) -> ControlNetworkSpec:
    """The network of a control net."""
    key = f"{spec.family} {spec.kind} {spec.source}"
    return ControlNetworkSpec(key=key, title=spec.title, source=spec.source, entry=spec)


def with_shared(entries: Mapping[str, CacheEntry]) -> dict[str, CacheEntry]:
    """The entries by key, together with the image encoders and networks that several of them may share."""
    shared: dict[str, CacheEntry] = {}
    for spec in entries.values():
        for each in _shared_by(spec):
            shared.setdefault(each.key, each)
    return {**entries, **shared}


def _shared_by(spec: CacheEntry | None) -> tuple[ImageEncoderSpec | ControlNetworkSpec, ...]:
    match spec:
        case ReferenceSpec():
            return (encoder_of(spec),)
        case ControlSpec():
            return (control_network_of(spec),)
        case _:
            return ()


def keys_of(request: Request, entries: Mapping[str, CacheEntry]) -> tuple[str, ...]:
    """Keys of all that an attempt takes from the cache, its model first."""
    networks = dict.fromkeys(each.network for each in request.inputs if each.network)
    if isinstance(request, UpscaleRequest) and request.faces:
        networks[request.faces] = None
    shared = dict.fromkeys(each.key for key in networks for each in _shared_by(entries.get(key)))
    return request.model_key, *networks, *shared


def named_weights(networks: Mapping[str, _Loaded]) -> dict[str, tuple[Sourced, Weights]]:
    """Entry and weight files of loaded networks, by names for a recipe: no path of what they share shows."""
    found: dict[str, tuple[Sourced, Weights]] = {}
    for key, loaded in networks.items():
        spec = loaded.spec
        if isinstance(spec, ImageEncoderSpec | ControlNetworkSpec):
            continue
        read = networks[control_network_of(spec).key] if isinstance(spec, ControlSpec) else loaded
        found[key] = spec, read.weights
        if isinstance(spec, ReferenceSpec):
            encoder = networks[encoder_of(spec).key]
            found[f"{key} encoder"] = encoder.spec, encoder.weights
    return found


def check_networks(request: Request, entries: Mapping[str, CacheEntry]) -> None:
    """Check that every network of a request is of its input's kind, fits the model's family and allows the use.

    The catalogue's owner decides about uses. So a face reference needs an adapter whose entry lists that use.

    Raises:
        InvalidRequest: a network does not fit; the message names it.
    """
    model = entries.get(request.model_key)
    if isinstance(request, UpscaleRequest) and request.faces and not isinstance(entries.get(request.faces), FaceSpec):
        raise InvalidRequest(f"The catalogue has no network for faces {request.faces!r}.")
    for each in request.inputs:
        spec = entries.get(each.network)
        if each.role is InputRole.REFERENCE:
            _check_reference(each, spec, model)
        elif each.role is InputRole.CONTROL:
            _check_control(each, spec, model)
        elif each.network and not isinstance(spec, UpscalerSpec):
            raise InvalidRequest(f"The catalogue has no upscaler {each.network!r}.")


def _check_control(given: Input, spec: CacheEntry | None, model: CacheEntry | None) -> None:
    if not isinstance(spec, ControlSpec):
        raise InvalidRequest(f"The catalogue has no control net {given.network!r}.")
    if not isinstance(model, ModelSpec) or spec.family != model.family:
        raise InvalidRequest(f"The control net {spec.title} is made for models of the family {spec.family}.")


def _check_reference(given: Input, spec: CacheEntry | None, model: CacheEntry | None) -> None:
    if not isinstance(spec, ReferenceSpec):
        raise InvalidRequest(f"The catalogue has no reference adapter {given.network!r}.")
    if not isinstance(model, ModelSpec) or spec.family != model.family:
        raise InvalidRequest(f"The reference adapter {spec.title} is made for models of the family {spec.family}.")
    if given.use not in spec.uses:
        raise InvalidRequest(f"The catalogue does not list the use {given.use} for the reference adapter {spec.title}.")
