"""The usual work of models whose entries say none."""

import pytest

from pipeline.protocol.catalogue.costs import Cost, usual_cost
from pipeline.protocol.catalogue.networks import Family, FolderSource, HubSource

FOLDER = FolderSource(path="/models/one")


def row(cost: Cost, pixels: int) -> float:
    """TFLOP of one row of this many pixels."""
    p = pixels / 512**2
    return cost.row_constant + cost.row_linear * p + cost.row_quadratic * p * p


@pytest.mark.parametrize(
    ("name", "at_512", "at_1024"),
    [
        ("FluxPipeline", 21.5, 74.4),
        ("FluxKontextPipeline", 21.5, 74.4),
        ("ChromaPipeline", 21.5, 74.4),
        ("Flux2Pipeline", 88, 283),
        ("Flux2KleinPipeline", 10.2, 34.8),
        ("ZImagePipeline", 13.7, 56.6),
        ("QwenImageEditPlusPipeline", 16.7, 70.6),
        ("Krea2Pipeline", 30, 116),
        ("PixArtSigmaPipeline", 1.29, 6.63),
        ("SanaPipeline", 0.84, 2.97),
        ("StableDiffusionXLPipeline", 1.59, 6.76),
        ("StableDiffusionPipeline", 0.80, 4.67),
    ],
)
def test_a_row_of_a_known_class_costs_what_was_counted(name: str, at_512: float, at_1024: float) -> None:
    cost = usual_cost("pipeline", FOLDER, name)
    assert row(cost, 512**2) == pytest.approx(at_512, rel=0.03)
    assert row(cost, 1024**2) == pytest.approx(at_1024, rel=0.03)


@pytest.mark.parametrize(
    ("repository", "name"),
    [
        ("black-forest-labs/FLUX.1-schnell", "FluxPipeline"),
        ("black-forest-labs/FLUX.2-klein-4B", "Flux2KleinPipeline"),
        ("black-forest-labs/FLUX.2-dev", "Flux2Pipeline"),
        ("lodestones/Chroma1-HD", "ChromaPipeline"),
        ("Tongyi-MAI/Z-Image-Turbo", "ZImagePipeline"),
        ("Qwen/Qwen-Image", "QwenImagePipeline"),
        ("PixArt-alpha/PixArt-Sigma-XL-2-1024-MS", "PixArtSigmaPipeline"),
        ("someone/something-new", "SomethingNewPipeline"),
    ],
)
def test_a_repository_tells_the_class_before_its_download(repository: str, name: str) -> None:
    source = HubSource(repo_id=repository, revision="0" * 40)
    assert usual_cost("pipeline", source) == usual_cost("pipeline", FOLDER, name)


def test_a_class_that_is_known_comes_before_a_name() -> None:
    named = FolderSource(path="/models/flux-like")
    assert usual_cost("pipeline", named, "SanaPipeline") == usual_cost("pipeline", FOLDER, "SanaPipeline")


@pytest.mark.parametrize(
    ("family", "most"),
    [("sd", 0.9), ("sdxl", 1.7), ("sd3", 2.6), ("z-image", 13.7), ("flux2", 10.2), ("flux", 21.5), ("pipeline", 14.0)],
)
def test_each_family_has_a_usual_row(family: Family, most: float) -> None:
    assert 0.85 * most < row(usual_cost(family, FOLDER), 512**2) <= most
