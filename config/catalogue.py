"""The catalogue: the models and other networks that an owner offers, from one TOML file.

Paths in the file are relative to the file, so that an owner can move a catalogue together with its models.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from config.capabilities import lacks_of_files, pipeline_class_of
from config.checking import check_model, is_seen
from config.engines import drawn_elsewhere
from config.guides import read_guides, uses_of
from config.loading import ConfigError
from config.reading import NotReadable, read_text, read_toml
from config.sources import absolute
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.costs import usual_cost
from pipeline.protocol.catalogue.models import Entry, ModelLora, ModelSpec, Vocabulary
from pipeline.protocol.catalogue.networks import (
    ControlSpec,
    CutoutSpec,
    Enlarger,
    FaceSpec,
    GuideSpec,
    ReferenceSpec,
    TextMaskSpec,
    UpscalerSpec,
)
from pipeline.protocol.inputs import Use
from pipeline.protocol.wire.messages import Ready

SHIPPED: Final = Path(__file__).with_name("models.toml")


class Catalogue(msgspec.Struct, kw_only=True, eq=False):
    """All entries by key, in the order of the file, and the default model.

    Attributes:
        models: the models with the samplers and capabilities that fit their files, as a worker has read them. Until
            then, the bot knows less about the files (`lacks_of_files`).
        default_key: key of the model for requests without a model.
        written: the models as in the file; by default the same as `models`.
        upscalers: the upscalers; the first is for requests without one.
        faces: the networks that repair faces.
        cutouts: the networks that find a foreground; the first is for requests without one.
        controls: the control nets; the first that fits is for requests without one.
        references: the reference adapters; the first that fits is for requests without one.
        missing: keys of entries that the worker cannot offer.
        unfit: keys of the models of its family that a control net or reference adapter does not fit, by its own key.
        text_mask: the model that marks what words name; None without one.
    """

    models: Mapping[str, ModelSpec]
    default_key: str
    written: Mapping[str, ModelSpec] = {}
    upscalers: Mapping[str, UpscalerSpec] = {}
    faces: Mapping[str, FaceSpec] = {}
    cutouts: Mapping[str, CutoutSpec] = {}
    controls: Mapping[str, ControlSpec] = {}
    references: Mapping[str, ReferenceSpec] = {}
    missing: Container[str] = ()
    unfit: Mapping[str, Container[str]] = {}
    text_mask: TextMaskSpec | None = None

    def __post_init__(self) -> None:
        self.written = self.written or self.models
        self.models = MappingProxyType({key: self._guided(spec) for key, spec in self.models.items()})

    @property
    def default(self) -> ModelSpec:
        """The model for requests without a model."""
        return self.models[self.default_key]

    def is_priced(self, model_key: str) -> bool:
        """Whether a service wants money for the pictures of a model, so that none is drawn twice by itself."""
        spec = self.models.get(model_key)
        return spec is not None and spec.drawn_by is not None and spec.drawn_by.price > 0

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Models, upscalers, networks for faces and networks that find a foreground together."""
        return {**self.models, **self.upscalers, **self.faces, **self.cutouts}

    @property
    def guides(self) -> Mapping[str, GuideSpec]:
        """Control nets and reference adapters together: networks by which a model heeds a picture."""
        return {**self.controls, **self.references}

    @property
    def networks(self) -> Mapping[str, GuideSpec | UpscalerSpec]:
        """Whatever the `network` of an input may name."""
        return {**self.guides, **self.upscalers}

    def heed(self, ready: Ready) -> None:
        """Narrow the models to the samplers and capabilities that a worker found in the files of all entries."""
        self.missing, self.unfit = ready.missing, ready.unfit
        self.models = MappingProxyType(
            {
                key: self._guided(spec.narrowed(ready.samplers.get(key) or None, ready.lacks.get(key, ())))
                for key, spec in self.written.items()
            }
        )

    def guides_for(self, spec: ModelSpec, use: Use) -> tuple[GuideSpec, ...]:
        """The control nets or reference adapters by which a model can use a picture, without missing ones."""
        return tuple(each for each in self._guides(spec) if use in uses_of(each))

    def _guided(self, spec: ModelSpec) -> ModelSpec:
        """The entry without the capabilities for which no network fits it."""
        kinds = {ControlSpec: Capability.CONTROL, ReferenceSpec: Capability.REFERENCE}
        found = {kinds[type(each)] for each in self._guides(spec)}
        lost = [each for each in kinds.values() if spec.can(each) and each not in found]
        return spec.narrowed(None, lost) if lost else spec

    def _guides(self, spec: ModelSpec) -> Iterator[GuideSpec]:
        for each in (*self.controls.values(), *self.references.values()):
            is_fit = each.family == spec.family and spec.key not in self.unfit.get(each.key, ())
            if is_fit and each.key not in self.missing:
                yield each


N = TypeVar("N", UpscalerSpec, FaceSpec, CutoutSpec)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: list[ModelSpec]
    upscalers: list[UpscalerSpec] | None = None
    faces: list[FaceSpec] = []
    cutouts: list[CutoutSpec] = []
    controls: list[ControlSpec] = []
    references: list[ReferenceSpec] = []
    text_mask: TextMaskSpec | None = None


def load_catalogue(path: Path, default_key: str) -> Catalogue:
    """Read a catalogue. The worker, not this function, checks that the weights exist.

    A file without the key `upscalers` offers the shipped ones. An empty list offers none.

    Raises:
        ConfigError: the file is unreadable, a field is wrong, two entries have one key, or the default is unknown.
    """
    file = _read(path)
    models: dict[str, ModelSpec] = {}
    for spec in file.model:
        if spec.key in models:
            raise ConfigError(f"The model catalogue {path} has two models with the key '{spec.key}'.")
        check_model(spec, path)
        models[spec.key] = _priced(_absolute(spec, path.parent.resolve()))
    for spec in models.values():
        if spec.title.strip().casefold() in models.keys() - {spec.key}:
            raise ConfigError(
                f"The model '{spec.key}' in {path} has the title '{spec.title}', which is the key of another model; "
                "members could mean either. Give it another title."
            )
    if default_key not in models:
        known = ", ".join(models) or "none"
        raise ConfigError(
            f"The setting pipeline.default_model is '{default_key}', which {path} does not list; it lists {known}."
        )
    owner, listed = (path, file.upscalers) if file.upscalers is not None else (SHIPPED, _read(SHIPPED).upscalers)
    upscalers = _networks(listed or [], owner, models)
    faces = _networks(file.faces, path, {*models, *upscalers})
    cutouts = _networks(file.cutouts, path, {*models, *upscalers, *faces})
    guides = read_guides(file.controls, file.references, path, {*models, *upscalers, *faces, *cutouts})
    marker = file.text_mask
    if marker is not None:
        marker = msgspec.structs.replace(marker, path=str((path.parent / marker.path).resolve()))
    return Catalogue(
        models=MappingProxyType({key: spec.narrowed(None, lacks_of_files(spec)) for key, spec in models.items()}),
        written=MappingProxyType(models),
        default_key=default_key,
        upscalers=upscalers,
        faces=faces,
        cutouts=cutouts,
        controls={spec.key: spec for spec in guides if isinstance(spec, ControlSpec)},
        references={spec.key: spec for spec in guides if isinstance(spec, ReferenceSpec)},
        text_mask=marker,
    )


def _read(path: Path) -> _File:
    try:
        return msgspec.convert(read_toml(path), _File)
    except NotReadable as error:
        raise ConfigError(f"The model catalogue {path} (pipeline.catalogue) {error}.") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"The model catalogue {path} is wrong: {error}.") from error


def _priced(spec: ModelSpec) -> ModelSpec:
    """The entry with the usual cost of its model, if it says none."""
    usual = usual_cost(spec.family, spec.source, pipeline_class_of(spec))
    return spec if spec.cost is not None else msgspec.structs.replace(spec, cost=usual)


def _networks(listed: Sequence[N], path: Path, taken: Container[str]) -> Mapping[str, N]:
    """The upscalers, networks for faces or networks that find a foreground of a file by key, with absolute paths.

    Raises:
        ConfigError: a key is taken, or a title is empty.
    """
    found: dict[str, N] = {}
    for spec in listed:
        if spec.key in taken or spec.key in found:
            raise ConfigError(f"The model catalogue {path} has two entries with the key '{spec.key}'.")
        if not any(map(is_seen, spec.title)):
            raise ConfigError(f"The entry '{spec.key}' in {path} has an empty title; members choose it by that.")
        found[spec.key] = msgspec.structs.replace(spec, path=str((path.parent / spec.path).resolve()))
    return MappingProxyType(found)


def _absolute(spec: ModelSpec, base: Path) -> ModelSpec:
    """A copy of the entry with absolute paths."""
    if spec.drawn_by is not None:
        return drawn_elsewhere(spec, spec.drawn_by, base)
    source = absolute(spec.source, base)
    vae = None if spec.vae is None else absolute(spec.vae, base)
    enlarger = spec.enlarger
    if enlarger is not None:
        enlarger = Enlarger(path=str((base / enlarger.path).resolve()), scale=enlarger.scale)
    decoder = spec.preview_decoder
    if decoder is not None:
        decoder = absolute(decoder, base)
    vocabulary = None if spec.vocabulary is None else _read_vocabulary(base / spec.vocabulary.path)
    lora = spec.lora
    if lora is not None:
        lora = ModelLora(path=str((base / lora.path).resolve()), scale=lora.scale)
    return msgspec.structs.replace(
        spec, source=source, vae=vae, enlarger=enlarger, preview_decoder=decoder, vocabulary=vocabulary, lora=lora
    )


def _read_vocabulary(path: Path) -> Vocabulary:
    """Read a vocabulary file.

    Raises:
        ConfigError: the file is missing or is no vocabulary.
    """
    try:
        content = msgspec.json.decode(read_text(path))
        return msgspec.convert({**content, "path": str(path.resolve())}, Vocabulary)
    except NotReadable as error:
        raise ConfigError(f"The vocabulary {path}, which the model catalogue names, {error}.") from error
    except (msgspec.DecodeError, TypeError) as error:
        raise ConfigError(f"The vocabulary {path} is not the JSON that docs/models.md describes: {error}.") from error
