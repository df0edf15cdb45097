"""Which models are loaded."""

import gc
from collections.abc import Collection, Mapping

from pipeline.engine.activity import Activity
from pipeline.engine.devices import Placement, release_memory
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loading import LoadedModel, load_model
from pipeline.engine.loras.folder import LoraFolder
from pipeline.protocol.models import ModelSpec


class Shelf:
    """One model at a time: two need not fit the device together.

    Args:
        models: the catalogue.
        placement: device and precision.
        cache_directory: where downloads from a hub are kept.
        activity: told of loading.
        loras: of the owner, for every model that they fit; None has none.
    """

    def __init__(
        self,
        models: Mapping[str, ModelSpec],
        placement: Placement,
        cache_directory: str | None,
        activity: Activity,
        loras: LoraFolder | None,
    ) -> None:
        self._models = models
        self._placement = placement
        self._cache_directory = cache_directory
        self._activity = activity
        self._loras = loras
        self._loaded: LoadedModel | None = None

    def has(self, model_key: str) -> bool:
        """The model is ready to draw."""
        return self._loaded is not None and self._loaded.spec.key == model_key

    def may_load(self, model_key: str, in_use: Collection[str]) -> bool:
        """There is room for a model beside those that jobs are drawn with; unknown ones are refused at once."""
        return self.has(model_key) or not in_use or model_key not in self._models

    def take(self, model_key: str) -> LoadedModel:
        """The model, loaded where it is not.

        Raises:
            ModelUnavailable: it cannot be loaded.
        """
        if self._loaded is not None and self.has(model_key):
            return self._loaded
        spec = self._models.get(model_key)
        if spec is None:
            raise ModelUnavailable(f"The catalogue has no model {model_key!r}.")
        self._activity.enter("loading")
        self._loaded = None
        gc.collect()
        release_memory(self._placement.device)
        moved = self._activity.moved
        self._loaded = load_model(spec, self._placement, self._cache_directory, moved, self._loras)
        return self._loaded
