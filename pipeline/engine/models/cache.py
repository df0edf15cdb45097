"""Cache of loaded models, on the device or offloaded to host memory."""

import gc
import logging
from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import TypeAlias

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.openvino_network import copies_bytes
from pipeline.engine.device.placement import Placement, release_memory
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.controls import LoadedControl, LoadedControlNetwork
from pipeline.engine.models.cutouts import LoadedCutout
from pipeline.engine.models.loading import LoadedModel, load_model
from pipeline.engine.models.memory import (
    AUTO_SHARE,
    budget_bytes,
    computer_bytes,
    has_own_memory,
    offload,
    ram_size_of,
    restore,
    size_of,
)
from pipeline.engine.models.networks import (
    CacheEntry,
    ControlNetworkSpec,
    ImageEncoderSpec,
    check_networks,
    keys_of,
    with_shared,
)
from pipeline.engine.models.references import LoadedImageEncoder, LoadedReference
from pipeline.engine.models.sizes import expected_bytes
from pipeline.engine.models.upscalers import LoadedFaces, LoadedUpscaler
from pipeline.protocol.catalogue.networks import ControlSpec, CutoutSpec, FaceSpec, ReferenceSpec, UpscalerSpec
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.settings import EngineOptions

log = logging.getLogger(__name__)

Loaded: TypeAlias = (
    LoadedModel
    | LoadedUpscaler
    | LoadedFaces
    | LoadedCutout
    | LoadedControl
    | LoadedControlNetwork
    | LoadedReference
    | LoadedImageEncoder
)
"""A loaded entry of the catalogue, or what several entries share."""


class ModelCache:
    """Keeps as many models loaded as the memory budget allows. A model in use is never moved.

    Args:
        models: the catalogue's models and networks, by key.
        placement: device and precision.
        options: settings of the engine.
        activity: receives the phase "loading" and signs of progress.
        loras: the owner's LoRA folder, for every model; None offers no LoRA.
    """

    def __init__(
        self,
        models: Mapping[str, CacheEntry],
        placement: Placement,
        options: EngineOptions,
        activity: Activity,
        loras: LoraFolder | None = None,
    ) -> None:
        self._models = with_shared(models)
        self._placement = placement
        self._cache_directory = options.cache_directory
        self._activity = activity
        self._loras = loras
        self._idle_models = options.idle_models
        self._budget = budget_bytes(placement, options.model_memory_mb)
        self._is_apart = has_own_memory(placement.device)
        # In both, the least recently used model comes first.
        self._ready: OrderedDict[str, Loaded] = OrderedDict()
        self._offloaded: OrderedDict[str, Loaded] = OrderedDict()
        self._measured: dict[str, int] = {}
        self._resting: dict[str, int] = {}

    def has(self, model_key: str) -> bool:
        """True when the model is loaded on its device."""
        return model_key in self._ready

    def keys_of(self, request: Request) -> tuple[str, ...]:
        """Keys of all that a request takes from the cache, its model first."""
        return keys_of(request, self._models)

    def may_load(self, model_keys: Collection[str], in_use: Collection[str]) -> bool:
        """True when the budget allows these models and networks together, beside those in use.

        An unknown key gives True, so that `take` reports it at once. What is above the budget, or of unknown size,
        waits until nothing else is in use.
        """
        absent = [key for key in model_keys if not self.has(key)]
        if not absent or not in_use or not all(key in self._models for key in absent):
            return True
        present = {*in_use, *(key for key in model_keys if self.has(key))}
        return self._bytes_of(present) + sum(map(self._needed, absent)) <= self._budget

    def spec(self, model_key: str) -> CacheEntry:
        """The catalogue's entry of a model.

        Raises:
            ModelUnavailable: the model is unknown.
        """
        spec = self._models.get(model_key)
        if spec is None:
            raise ModelUnavailable(f"The catalogue has no model {model_key!r}.")
        return spec

    def take(self, model_key: str, in_use: Collection[str] = ()) -> Loaded:
        """Return a model on its device; load or restore it first if necessary.

        Args:
            model_key: key of the model.
            in_use: keys of the models that jobs use.

        Raises:
            ModelUnavailable: the model is unknown or cannot be loaded.
        """
        spec = self.spec(model_key)
        if not self.has(model_key):
            self._activity.enter("loading")
            # Taken out first: otherwise `_make_room` could drop this very model to save host memory.
            offloaded = self._offloaded.pop(model_key, None)
            self._make_room(self._needed(model_key), in_use)
            self._ready[model_key] = self._loaded(spec) if offloaded is None else self._restored(offloaded)
            # Its real size is now known and may exceed the estimate from its files.
            self._make_room(0, {model_key, *in_use})
        self._ready.move_to_end(model_key)
        return self._ready[model_key]

    def take_all(self, request: Request, in_use: Collection[str] = ()) -> tuple[Loaded, dict[str, Loaded]]:
        """Return the model of a request, and its networks by key, all on the device.

        Raises:
            InvalidRequest: one of its networks does not fit; see `check_networks`.
            ModelUnavailable: one of them is unknown or cannot be loaded.
        """
        check_networks(request, self._models)
        keys = self.keys_of(request)
        loaded = {key: self.take(key, {*in_use, *keys}) for key in keys}
        return loaded.pop(request.model_key), loaded

    def _loaded(self, spec: CacheEntry) -> Loaded:
        match spec:
            case UpscalerSpec():
                model: Loaded = LoadedUpscaler(spec, self._placement)
            case FaceSpec():
                model = LoadedFaces(spec, self._placement)
            case CutoutSpec():
                model = LoadedCutout(spec)
            case ReferenceSpec():
                model = LoadedReference(spec, self._placement)
            case ImageEncoderSpec():
                model = LoadedImageEncoder(spec, self._placement, self._cache_directory)
            case ControlSpec():
                model = LoadedControl(spec, self._placement, self._cache_directory)
            case ControlNetworkSpec():
                model = LoadedControlNetwork(spec, self._placement, self._cache_directory)
            case _:
                model = load_model(
                    spec, self._placement, self._cache_directory, self._activity.note_progress, self._loras
                )
        # A network that OpenVINO runs has no modules.
        measured = size_of(model.modules) or expected_bytes(spec, self._placement, self._cache_directory)
        self._measured[spec.key] = measured or 0
        self._resting[spec.key] = ram_size_of(model.modules)
        return model

    def _restored(self, model: Loaded) -> Loaded:
        restore(model.modules, self._placement.device)
        return model

    def _make_room(self, needed: int, kept: Collection[str]) -> None:
        """Offload or drop idle models, least recently used first, until `needed` bytes fit or none is left."""
        idle = [key for key in self._ready if key not in kept]
        has_freed = False
        for key in idle:
            if self._idle_models != "drop" and self._bytes_of(self._ready) + needed <= self._budget:
                break
            model = self._ready.pop(key)
            has_freed = True
            if self._idle_models == "offload" and self._is_apart:
                offload(model.modules)
                self._offloaded[key] = model
                self._activity.note_progress()
            log.info("The model %s %s.", key, "is offloaded to memory" if key in self._offloaded else "was dropped")
            del model
        while self._offloaded and self._bytes_in_ram() > AUTO_SHARE * computer_bytes():
            self._offloaded.popitem(last=False)
            has_freed = True
        if has_freed:
            gc.collect()
            release_memory(self._placement.device)

    def _bytes_of(self, model_keys: Collection[str]) -> int:
        compiled = sum(copies_bytes(self._ready[key].modules) for key in model_keys if key in self._ready)
        return compiled + sum(self._measured[key] for key in model_keys)

    def _bytes_in_ram(self) -> int:
        """Bytes of offloaded models, and of the parts of all models that always wait in RAM."""
        resting = sum(self._resting[key] for key in (*self._ready, *self._offloaded))
        return self._bytes_of(self._offloaded) + resting

    def _needed(self, model_key: str) -> int:
        """Measured or expected bytes of a model; the whole budget when its size is unknown."""
        known = self._measured.get(model_key)
        if known is None:
            known = expected_bytes(self._models[model_key], self._placement, self._cache_directory)
        return self._budget if known is None else known
