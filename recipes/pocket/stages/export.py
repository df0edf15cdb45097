"""The stage `export`: write the diffusers folder in half precision, its vocabulary and its model card."""

import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any, Final

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from recipes.pocket import world
from recipes.pocket.networks import construct, make_scheduler
from recipes.pocket.stages import autoencoder
from recipes.pocket.stages.text_encoder import load_text_encoder, load_tokenizer

LARGEST: Final = 25_000_000
"""Most bytes of the whole folder."""

EXAMPLES: Final = (
    "a red apple",
    "a penguin in the snow",
    "a green cactus in the desert",
    "four red hearts",
    "a house in the mountains at sunset",
    "a purple umbrella on a yellow background",
    "two yellow stars on a blue background",
    "two pink balloons on a blue background",
)
"""Example prompts of the vocabulary and the model card."""


class TooLarge(Exception):
    """The folder is larger than Easel ships; the message is one plain sentence."""


def assemble(folder: Path, *, unet: Any, text_encoder: Any) -> StableDiffusionPipeline:
    """Make a float32 pipeline of networks in training; they stay on their devices.

    Args:
        folder: folder with `vae` and `tokenizer`.
        unet: a network from `networks.make_unet`.
        text_encoder: a network from `networks.make_text_encoder`.
    """
    return construct(
        StableDiffusionPipeline,
        vae=autoencoder.load(folder, torch.device("cpu")),
        text_encoder=text_encoder,
        tokenizer=load_tokenizer(folder),
        unet=unet,
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def load(folder: Path) -> StableDiffusionPipeline:
    """Load the pipeline from the folders of the stages, on the CPU."""
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    return assemble(folder, unet=unet, text_encoder=load_text_encoder(folder, torch.device("cpu")))


def write(folder: Path, target: Path) -> None:
    """Run the stage: write the pipeline, `vocabulary.json` and the model card.

    Args:
        folder: folder of the other stages. The card shows its `figures.json`, if `evaluate` has written one.
        target: folder of the model; files in it are overwritten.

    Raises:
        TooLarge: the target has more than LARGEST bytes.
    """
    pipeline = load(folder).to(torch.float16)
    pipeline.save_pretrained(target)
    _tidy(target)
    vocabulary = {
        "things": [thing.name for thing in world.THINGS],
        "colors": list(world.COLORS),
        "places": list(world.PLACES),
        "styles": [name for name in world.STYLES if name != "flat"],
        "words": world.vocabulary(),
        # Goes once the figure "another arrangement from another seed" on the card is good.
        "alike": world.lone_thing_words(),
        "examples": EXAMPLES,
    }
    (target / "vocabulary.json").write_text(json.dumps(vocabulary, indent=1) + "\n", encoding="utf-8")
    figures = folder / "figures.json"
    write_card(target, json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {})
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    if size > LARGEST:
        raise TooLarge(f"{target} holds {size / 1e6:.1f} MB; Easel ships {LARGEST / 1e6:.0f} MB at most.")
    print(f"{target}: {size / 1e6:.1f} MB")


def _tidy(target: Path) -> None:
    """Remove this machine's paths from the configurations, and set the text encoder's precision to float32.

    transformers loads a text encoder in the precision of its file; diffusers loads its own parts in float32.
    """
    for file in target.rglob("*.json"):
        content = json.loads(file.read_text(encoding="utf-8"))
        if "_name_or_path" in content:
            del content["_name_or_path"]
        if file.parent.name == "text_encoder":
            content["dtype"] = "float32"
        if file.name.endswith("config.json"):
            file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_card(target: Path, figures: Mapping[str, Any]) -> None:
    """Write the model card with the figures of an evaluation."""
    card = Template((Path(__file__).parents[1] / "card.md").read_text(encoding="utf-8"))
    rows = "\n".join(f"| {name} | {value} |" for name, value in figures.items()) or "| not evaluated | - |"
    filled = card.substitute(
        things=", ".join(thing.name for thing in world.THINGS),
        colors=", ".join(world.COLORS),
        places=", ".join(world.PLACES.values()),
        times=", ".join(filter(None, (phrases[-1] for phrases in world.TIMES.values()))),
        weathers=", ".join(filter(None, (phrases[0] for phrases in world.WEATHERS.values()))),
        styles=", ".join(filter(None, (phrases[0] for phrases in world.STYLES.values()))),
        sides=", ".join(world.SIDES.values()),
        figures=rows,
        count=len(world.THINGS),
    )
    (target / "README.md").write_text(filled, encoding="utf-8")
