"""Turns the LoRA tags of a prompt into the tensors that a job adds to one loaded model."""

import logging
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin
from torch import nn

from pipeline.engine.device.acceleration import Forward, accelerate
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras.contents import BrokenNumbers, Contents, Made, MadeOfFiles
from pipeline.engine.loras.embeddings import Embedding, bundled, embedding_in
from pipeline.engine.loras.files import Converter, LoraUnfit, Pairs, pairs_in
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.loras.kinds import OtherKind, check_is_lora
from pipeline.engine.loras.rows import LoraRows, RowLora, Rows, combined, fitted
from pipeline.prompts.tags import MAX_LORA_SCALE, LoraTag, Tagged
from pipeline.protocol.limits import MAX_LORAS
from pipeline.protocol.wire.outputs import Notice

_KEPT_FILES: Final = 8
_KEPT_ON_DEVICE: Final = 8

log = logging.getLogger(__name__)

LoraKey = tuple[tuple[str, float], ...]
"""Digest of each LoRA's file, and the LoRA's weight for the text encoders."""


class LoraParts(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Contents of a LoRA's file, fitted to the modules of one model.

    Attributes:
        pairs: matrices by component.
        embeddings: embeddings in the file, by name.
    """

    pairs: Mapping[str, Pairs]
    embeddings: Mapping[str, Embedding]


class ChosenLoras(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """LoRAs of one job.

    Attributes:
        denoiser: addition to the U-Net or transformer; None adds nothing.
        text_encoders: additions to the text encoders, by component.
        text_key: cache key for encoded text; equal keys stand for equal additions to the text encoders.
        digests: SHA-256 of each LoRA's file, by the LoRA's name.
        embeddings: embeddings in the LoRAs' files, by name.
    """

    denoiser: RowLora | None
    text_encoders: Mapping[str, RowLora]
    text_key: LoraKey
    digests: Mapping[str, str]
    embeddings: Mapping[str, Embedding]


_Used = Sequence[tuple[LoraTag, Made[LoraParts]]]


class ModelLoras:
    """Use of LoRAs in one loaded model.

    Args:
        folder: the owner's LoRA folder.
        denoiser: name and module of the U-Net or transformer, such as `("unet", unet)`.
        text_encoders: modules by component, such as `text_encoder_2`.
        placement: device and precision of the model.
        convert: diffusers' `lora_state_dict` for this family.

    Raises:
        ModelUnavailable: the LoRA that the model always has cannot be read, or does not fit it.
    """

    def __init__(
        self,
        folder: LoraFolder,
        denoiser: tuple[str, nn.Module],
        text_encoders: Mapping[str, nn.Module],
        placement: Placement,
        convert: Converter = StableDiffusionLoraLoaderMixin.lora_state_dict,
    ) -> None:
        self._folder = folder
        self._denoiser = denoiser[0]
        self._modules: dict[str, nn.Module] = dict([denoiser, *text_encoders.items()])
        self._rows = {component: LoraRows(module) for component, module in self._modules.items()}
        self._placement = placement
        self._convert = convert
        self._files = MadeOfFiles(self._parts, check_is_lora, _KEPT_FILES)
        self._chosen: OrderedDict[tuple[object, ...], ChosenLoras] = OrderedDict()
        self._always = () if folder.built_in is None else (self._built_in(*folder.built_in),)

    def choose(self, tagged: Tagged) -> tuple[ChosenLoras, tuple[Notice, ...]]:
        """LoRAs for a prompt's tags, and a notice about each tag that adds nothing."""
        notices: list[Notice] = []
        if tagged.ignored:
            notices.append(Notice(key="notice-tags-ignored", values={"tags": " ".join(tagged.ignored)}))
        if tagged.clamped:
            values: dict[str, str | int] = {"tags": " ".join(tagged.clamped), "limit": f"{MAX_LORA_SCALE:g}"}
            notices.append(Notice(key="notice-lora-clamped", values=values))
        used: list[tuple[LoraTag, Made[LoraParts]]] = [*self._always]
        for tag, path in self._known(tagged.loras, notices):
            made = self._read(tag.name, path, notices)
            if made is not None:
                used.append((tag, made))
        return self._combined(used), tuple(notices)

    @contextmanager
    def encoding(self, chosen: ChosenLoras) -> Generator[None]:
        """Context in which the text encoders have these LoRAs."""
        with ExitStack() as stack:
            for component, lora in chosen.text_encoders.items():
                stack.enter_context(self._rows[component].use((lora,)))
            yield

    def accelerated(self, forward: Forward) -> Forward:
        """What runs the denoiser's forward pass, in which `denoising` adds LoRAs; it prepares the denoiser in place.

        Args:
            forward: runs one plain forward pass of the denoiser.
        """
        module, rows = self._modules[self._denoiser], self._rows[self._denoiser]
        if self._placement.acceleration.accelerator != "openvino":
            return accelerate(module, forward, self._placement)
        return rows.giving(accelerate(module, rows.taking(forward), self._placement))

    @contextmanager
    def denoising(self, rows: Rows) -> Generator[None]:
        """Context in which a forward pass adds to each row its own LoRAs."""
        with self._rows[self._denoiser].use(rows):
            yield

    def release(self) -> None:
        """Release cached tensors."""
        for rows in self._rows.values():
            rows.release()

    def _known(self, tags: Sequence[LoraTag], notices: list[Notice]) -> list[tuple[LoraTag, Path]]:
        """Tags and files of known LoRAs; repeated tags are added up, and tags above the limit are left out."""
        known: dict[str, tuple[LoraTag, Path]] = {}
        for tag in tags:
            file = self._folder.find(tag.name)
            if file is None:
                notices.append(self._stranger(tag.name))
                continue
            name = file.entry.name
            before, _ = known.get(name, (LoraTag(name=name, scale=0.0, text_scale=0.0), file.path))
            added = LoraTag(name=name, scale=before.scale + tag.scale, text_scale=before.text_scale + tag.text_scale)
            known[name] = added, file.path
        if left_out := [*known][MAX_LORAS:]:
            values: dict[str, str | int] = {"names": ", ".join(left_out), "limit": MAX_LORAS}
            notices.append(Notice(key="notice-loras-many", values=values))
        return [*known.values()][:MAX_LORAS]

    def _stranger(self, name: str) -> Notice:
        """Notice about a name that no LoRA has."""
        embedding = self._folder.find_embedding(name)
        if embedding is not None:
            return Notice(key="notice-lora-is-embedding", values={"name": name, "tag": embedding.entry.tag})
        kind = self._folder.kind_of(name)
        if kind is not None:
            return Notice(key="notice-lora-unusable", values={"name": name, "kind": kind})
        near = ", ".join(self._folder.like(name))
        return Notice(key="notice-lora-unknown", values={"name": name, "near": near or "none"})

    def _built_in(self, path: Path, scale: float) -> tuple[LoraTag, Made[LoraParts]]:
        try:
            made = self._files.of(path)
        except LoraUnfit as error:
            raise ModelUnavailable(f"The LoRA {path.name} of its entry cannot be used: {error}.") from error
        return LoraTag(name=path.stem, scale=scale, text_scale=scale), made

    def _read(self, name: str, path: Path, notices: list[Notice]) -> Made[LoraParts] | None:
        try:
            return self._files.of(path)
        except LoraUnfit as error:
            log.warning("The LoRA %s does not fit: %s", name, error)
            notices.append(Notice(key="notice-lora-unfit", values={"name": name, "reason": str(error)}))
        except OtherKind as error:
            log.warning("%s", error)
            notices.append(Notice(key="notice-lora-unusable", values={"name": name, "kind": error.kind}))
        except ModelUnavailable as error:
            log.warning("The LoRA %s cannot be read: %s", name, error)
            notices.append(Notice(key=broken_key(error), values={"name": name}))
        return None

    def _parts(self, contents: Contents) -> LoraParts:
        """Pairs of a LoRA's file by component, fitted to this model's modules."""
        config: Any = getattr(self._modules[self._denoiser], "config", None)
        pairs = {
            component: fitted(found, self._module(component))
            for component, found in pairs_in(contents, config, self._convert, self._denoiser).items()
        }
        layouts = bundled(contents.header, contents.name)
        embeddings = {name: embedding_in(contents, layout) for name, layout in layouts.items()}
        return LoraParts(pairs=pairs, embeddings=embeddings)

    def _module(self, component: str) -> nn.Module:
        if component not in self._modules:
            raise LoraUnfit(f"it adds to a {component.replace('_', ' ')}, which this model does not have")
        return self._modules[component]

    def _combined(self, used: _Used) -> ChosenLoras:
        key = tuple((tag, made.digest) for tag, made in used)
        chosen = self._chosen.pop(key, None) or self._built(used)
        self._chosen[key] = chosen
        if len(self._chosen) > _KEPT_ON_DEVICE:
            self._chosen.popitem(last=False)
        return chosen

    def _built(self, used: _Used) -> ChosenLoras:
        built: dict[str, RowLora] = {}
        for component, module in self._modules.items():
            is_text = component != self._denoiser
            parts = [
                (made.result.pairs[component], tag.text_scale if is_text else tag.scale)
                for tag, made in used
                if component in made.result.pairs
            ]
            lora = combined(parts, module, device=self._placement.device, dtype=self._placement.dtype)
            if lora is not None:
                built[component] = lora
        denoiser = built.pop(self._denoiser, None)
        embeddings: dict[str, Embedding] = {}
        for _, made in used:
            embeddings |= made.result.embeddings
        return ChosenLoras(
            denoiser=denoiser,
            text_encoders=built,
            text_key=tuple((made.digest, tag.text_scale) for tag, made in used) if built else (),
            digests={tag.name: made.digest for tag, made in used},
            embeddings=embeddings,
        )


def broken_key(error: ModelUnavailable) -> str:
    """Key of the notice that a style's file cannot be used."""
    return "notice-style-numbers" if isinstance(error, BrokenNumbers) else "notice-lora-broken"
