"""What most tests share: the example settings, the shipped catalogue, and a valid request."""

import os
from pathlib import Path

import pytest

from config.catalogue import Catalogue, load_catalogue
from config.loading import load_settings
from config.settings import Settings
from pipeline.protocol.requests import GenerationRequest

# Read by OpenMP when torch is imported: threads that spin for work slow everything else on a small machine down.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

ROOT = Path(__file__).parents[1]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The example file, writing below a folder of the test."""
    monkeypatch.setenv("EASEL_STORAGE__DIRECTORY", str(tmp_path / "data"))
    return load_settings(ROOT / "easel.example.toml")


@pytest.fixture
def catalogue(settings: Settings) -> Catalogue:
    """The shipped catalogue."""
    return load_catalogue(settings.pipeline.catalogue, settings.pipeline.default_model)


@pytest.fixture
def request_() -> GenerationRequest:
    """A small request for the shipped model."""
    return GenerationRequest(
        prompt="a red apple",
        negative_prompt="",
        num_inference_steps=4,
        guidance_scale=5.0,
        width=64,
        height=64,
        scheduler_name="Euler",
        seed=7,
        num_images=1,
        model_key="pocket",
    )
