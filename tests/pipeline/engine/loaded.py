"""A model of an engine."""

from pipeline.engine.loop import Engine
from pipeline.engine.models.loading import LoadedModel


def model_in(engine: Engine, key: str = "pocket") -> LoadedModel:
    """The loaded model with this key."""
    model = engine._cache.take(key)
    assert isinstance(model, LoadedModel)
    return model
