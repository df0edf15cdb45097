"""From the tags of a prompt to what a job adds to one loaded model."""

import logging
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin
from torch import nn

from pipeline.engine.devices import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras.files import Converter, LoraUnfit, Pairs, read_lora
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.loras.rows import LoraRows, RowLora, Rows, combined, fitted
from pipeline.prompts.tags import MAX_LORA_SCALE, LoraTag, Tagged
from pipeline.protocol.limits import MAX_LORAS
from pipeline.protocol.messages import Notice

_KEPT_FILES: Final = 8
_KEPT_ON_DEVICE: Final = 8

log = logging.getLogger(__name__)

LoraKey = tuple[tuple[str, float], ...]
"""Each LoRA's name and its weight for the text encoders."""


class ChosenLoras(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What one job adds.

    Attributes:
        denoiser: to the U-Net or transformer; None adds nothing.
        text_encoders: by component.
        text_key: what encoded text hangs on beside its words; equal keys add the same.
        files: where each of them lies, by name.
    """

    denoiser: RowLora | None
    text_encoders: Mapping[str, RowLora]
    text_key: LoraKey
    files: Mapping[str, Path]


class ModelLoras:
    """The LoRAs of one loaded model.

    Args:
        folder: what the owner has.
        denoiser: name and module of the U-Net or transformer, such as `("unet", unet)`.
        text_encoders: modules by component, such as `text_encoder_2`.
        placement: where the model lives.
        convert: diffusers' `lora_state_dict` for this family.
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
        self._files: OrderedDict[str, Mapping[str, Pairs]] = OrderedDict()
        self._chosen: OrderedDict[tuple[LoraTag, ...], ChosenLoras] = OrderedDict()

    def choose(self, tagged: Tagged) -> tuple[ChosenLoras, tuple[Notice, ...]]:
        """What a prompt's tags add, and a word about each that adds nothing."""
        notices: list[Notice] = []
        if tagged.ignored:
            notices.append(Notice(key="notice-tags-ignored", values={"tags": " ".join(tagged.ignored)}))
        if tagged.clamped:
            values: dict[str, str | int] = {"tags": " ".join(tagged.clamped), "limit": f"{MAX_LORA_SCALE:g}"}
            notices.append(Notice(key="notice-lora-clamped", values=values))
        usable = [tag for tag in self._known(tagged.loras, notices) if self._is_usable(tag.name, notices)]
        return self._combined(usable), tuple(notices)

    @contextmanager
    def encoding(self, chosen: ChosenLoras) -> Generator[None]:
        """Text that is encoded within is encoded with these LoRAs."""
        with ExitStack() as stack:
            for component, lora in chosen.text_encoders.items():
                stack.enter_context(self._rows[component].use((lora,)))
            yield

    @contextmanager
    def denoising(self, rows: Rows) -> Generator[None]:
        """A forward within adds to each row its own."""
        with self._rows[self._denoiser].use(rows):
            yield

    def release(self) -> None:
        """Let go of what is kept only to save time."""
        for rows in self._rows.values():
            rows.release()

    def _known(self, tags: Sequence[LoraTag], notices: list[Notice]) -> list[LoraTag]:
        """By the folder's own names, those typed twice added up, and no more than are allowed."""
        known: dict[str, LoraTag] = {}
        for tag in tags:
            file = self._folder.find(tag.name)
            if file is None:
                near = ", ".join(self._folder.like(tag.name))
                notices.append(Notice(key="notice-lora-unknown", values={"name": tag.name, "near": near or "none"}))
                continue
            name = file.entry.name
            before = known.get(name, LoraTag(name=name, scale=0.0, text_scale=0.0))
            known[name] = LoraTag(
                name=name, scale=before.scale + tag.scale, text_scale=before.text_scale + tag.text_scale
            )
        if left_out := [*known][MAX_LORAS:]:
            values: dict[str, str | int] = {"names": ", ".join(left_out), "limit": MAX_LORAS}
            notices.append(Notice(key="notice-loras-many", values=values))
        return [*known.values()][:MAX_LORAS]

    def _is_usable(self, name: str, notices: list[Notice]) -> bool:
        try:
            self._file(name)
        except LoraUnfit as error:
            log.warning("The LoRA %s does not fit: %s", name, error)
            notices.append(Notice(key="notice-lora-unfit", values={"name": name, "reason": str(error)}))
        except ModelUnavailable as error:
            log.warning("The LoRA %s cannot be read: %s", name, error)
            notices.append(Notice(key="notice-lora-broken", values={"name": name}))
        else:
            return True
        return False

    def _file(self, name: str) -> Mapping[str, Pairs]:
        """A LoRA's pairs by component, as this model has its modules."""
        found = self._files.pop(name, None)
        if found is None:
            config: Any = getattr(self._modules[self._denoiser], "config", None)
            found = {
                component: fitted(pairs, self._module(component))
                for component, pairs in read_lora(self._path(name), config, self._convert).items()
            }
        _keep(self._files, name, found, _KEPT_FILES)
        return found

    def _path(self, name: str) -> Path:
        file = self._folder.find(name)
        if file is None:
            raise AssertionError("Only names that the folder knows are read.")
        return file.path

    def _module(self, component: str) -> nn.Module:
        if component not in self._modules:
            raise LoraUnfit(f"it adds to a {component.replace('_', ' ')}, which this model does not have")
        return self._modules[component]

    def _combined(self, tags: Sequence[LoraTag]) -> ChosenLoras:
        key = tuple(tags)
        chosen = self._chosen.pop(key, None) or self._built(tags)
        _keep(self._chosen, key, chosen, _KEPT_ON_DEVICE)
        return chosen

    def _built(self, tags: Sequence[LoraTag]) -> ChosenLoras:
        files = {tag.name: self._file(tag.name) for tag in tags}
        built: dict[str, RowLora] = {}
        for component, module in self._modules.items():
            is_text = component != self._denoiser
            parts = [
                (files[tag.name][component], tag.text_scale if is_text else tag.scale)
                for tag in tags
                if component in files[tag.name]
            ]
            lora = combined(parts, module, device=self._placement.device, dtype=self._placement.dtype)
            if lora is not None:
                built[component] = lora
        denoiser = built.pop(self._denoiser, None)
        text_key = tuple((tag.name, tag.text_scale) for tag in tags) if built else ()
        paths = {tag.name: self._path(tag.name) for tag in tags}
        return ChosenLoras(denoiser=denoiser, text_encoders=built, text_key=text_key, files=paths)


def _keep(known: OrderedDict[Any, Any], key: object, value: object, most: int) -> None:
    """The newest last; the oldest goes where there are too many."""
    known[key] = value
    if len(known) > most:
        known.popitem(last=False)
