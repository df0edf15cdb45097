"""Which models are loaded, and which of them lie on the device."""

import gc
import logging
from collections import OrderedDict
from collections.abc import Collection, Mapping

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import Placement, release_memory
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.loading import LoadedModel, load_model
from pipeline.engine.models.memory import (
    AUTO_SHARE,
    budget_bytes,
    computer_bytes,
    has_own_memory,
    offload,
    restore,
    size_of,
)
from pipeline.engine.models.sizes import expected_bytes
from pipeline.protocol.messages import IdleModels
from pipeline.protocol.models import ModelSpec

log = logging.getLogger(__name__)


class ModelCache:
    """Models beside each other, as many as the budget allows. One that is in use is never moved.

    Args:
        models: the catalogue.
        placement: device and precision.
        cache_directory: where downloads from a hub are kept.
        activity: told of loading.
        idle_models: what becomes of idle ones when another needs their room.
        model_memory_mb: what all may take on the device; 0 is most of its memory.
        loras: of the owner, for every model that they fit; None has none.
    """

    def __init__(
        self,
        models: Mapping[str, ModelSpec],
        placement: Placement,
        cache_directory: str | None,
        activity: Activity,
        idle_models: IdleModels = "keep",
        model_memory_mb: int = 0,
        loras: LoraFolder | None = None,
    ) -> None:
        self._models = models
        self._placement = placement
        self._cache_directory = cache_directory
        self._activity = activity
        self._loras = loras
        self._idle_models: IdleModels = idle_models
        self._budget = budget_bytes(placement, model_memory_mb)
        self._is_apart = has_own_memory(placement.device)
        # The least recently used come first, in both.
        self._ready: OrderedDict[str, LoadedModel] = OrderedDict()
        self._offloaded: OrderedDict[str, LoadedModel] = OrderedDict()
        self._measured: dict[str, int] = {}

    def has(self, model_key: str) -> bool:
        """The model is ready to draw."""
        return model_key in self._ready

    def may_load(self, model_key: str, in_use: Collection[str]) -> bool:
        """There is room for a model beside those that jobs are drawn with; unknown ones are refused at once.

        One that is too large for the budget, or of a size that nobody knows yet, is loaded when no other is in use.
        """
        if self.has(model_key) or not in_use or model_key not in self._models:
            return True
        return self._bytes_of(in_use) + self._needed(model_key) <= self._budget

    def take(self, model_key: str, in_use: Collection[str] = ()) -> LoadedModel:
        """The model, ready to draw: loaded or brought back where it is not.

        Args:
            model_key: which.
            in_use: those that jobs are drawn with.

        Raises:
            ModelUnavailable: it cannot be loaded.
        """
        spec = self._models.get(model_key)
        if spec is None:
            raise ModelUnavailable(f"The catalogue has no model {model_key!r}.")
        if not self.has(model_key):
            self._activity.enter("loading")
            # Out of the way first, or the room that others need in memory could be its own.
            offloaded = self._offloaded.pop(model_key, None)
            self._make_room(self._needed(model_key), in_use)
            self._ready[model_key] = self._loaded(spec) if offloaded is None else self._restored(offloaded)
            # Now its size is known; it may be more than its files let expect.
            self._make_room(0, {model_key, *in_use})
        self._ready.move_to_end(model_key)
        return self._ready[model_key]

    def _loaded(self, spec: ModelSpec) -> LoadedModel:
        model = load_model(spec, self._placement, self._cache_directory, self._activity.moved, self._loras)
        self._measured[spec.key] = size_of(model.modules)
        return model

    def _restored(self, model: LoadedModel) -> LoadedModel:
        restore(model.modules, self._placement.device)
        return model

    def _make_room(self, needed: int, kept: Collection[str]) -> None:
        """Let idle models go, the least recently used first, until so many bytes fit or none is left."""
        idle = [key for key in self._ready if key not in kept]
        moved = False
        for key in idle:
            if self._idle_models != "drop" and self._bytes_of(self._ready) + needed <= self._budget:
                break
            model = self._ready.pop(key)
            moved = True
            if self._idle_models == "offload" and self._is_apart:
                offload(model.modules)
                self._offloaded[key] = model
                self._activity.moved()
            log.info("The model %s %s.", key, "is offloaded to memory" if key in self._offloaded else "was dropped")
            del model
        while self._offloaded and self._bytes_of(self._offloaded) > AUTO_SHARE * computer_bytes():
            self._offloaded.popitem(last=False)
            moved = True
        if moved:
            gc.collect()
            release_memory(self._placement.device)

    def _bytes_of(self, model_keys: Collection[str]) -> int:
        return sum(self._measured[key] for key in model_keys)

    def _needed(self, model_key: str) -> int:
        """Bytes that it takes, or will take; all there are where nobody knows."""
        known = self._measured.get(model_key)
        if known is None:
            known = expected_bytes(self._models[model_key], self._placement, self._cache_directory)
        return self._budget if known is None else known
