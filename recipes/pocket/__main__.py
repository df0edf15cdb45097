"""`python -m recipes.pocket STAGE` runs one stage of the recipe; an interrupted stage goes on from its checkpoint."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import torch
import typer

from recipes.pocket.drawing import sprites
from recipes.pocket.judging.evaluate import evaluate as evaluate_pipeline
from recipes.pocket.stages import (
    autoencoder,
    export,
    learn_color_removal,
    learn_object_removal,
    learn_place_removal,
    learn_wordy_captions,
    text_encoder,
    unet,
)
from recipes.pocket.stages.training_run import StageOptions

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

Folder = Annotated[Path, typer.Option(help="Folder of drawings, checkpoints, logs and samples.")]
Steps = Annotated[int, typer.Option(min=1, help="Number of batches in all.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Pictures per batch.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes that compose scenes during the training.")]
Record = Annotated[bool, typer.Option(help="Record a step as a CUDA graph on a GPU.")]
Threads = Annotated[int, typer.Option(min=0, help="CPU threads of the training; 0 leaves the choice to torch.")]
FOLDER = Path("training-run")


def _options(folder: Path, steps: int, batch: int, workers: int, threads: int, *, record: bool = True) -> StageOptions:
    if threads:
        torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return StageOptions(folder=folder, device=device, steps=steps, batch=batch, workers=workers, record=record)


@app.command("sprites")
def make_sprites(folder: Folder = FOLDER) -> None:
    """Fetch the drawings with npm and render them in every color."""
    sprites.make(folder)
    text_encoder.write_tokenizer(_options(folder, 1, 1, 0, 0))


def _stage(name: str, train: Callable[[StageOptions], None], steps: int, batch: int, help_text: str) -> None:
    def command(
        folder: Folder = FOLDER,
        steps: Steps = steps,
        batch: BatchSize = batch,
        workers: Workers = 1,
        threads: Threads = 0,
        *,
        record: Record = True,
    ) -> None:
        train(_options(folder, steps, batch, workers, threads, record=record))

    command.__doc__ = help_text
    app.command(name)(command)


def _autoencoder(options: StageOptions) -> None:
    autoencoder.train(options, text_encoder.load_tokenizer(options.folder))


_stage("autoencoder", _autoencoder, 3000, 32, "Train the autoencoder: pictures to latents and back.")
_stage("text", text_encoder.train, 2000, 64, "Pretrain the text encoder to match captions with pictures.")
_stage("unet", unet.train, 60_000, 16, "Train the U-Net together with the text encoder.")
_stage(
    "wording",
    learn_wordy_captions.train,
    3000,
    64,
    "Teach the text encoder to ignore words that the model does not know.",
)
_stage(
    "negatives",
    learn_color_removal.train,
    540,
    32,
    "Teach the text encoder to remove colors and styles that a negative prompt names.",
)
_stage(
    "names",
    learn_place_removal.train,
    600,
    32,
    "Teach the text encoder to remove places and times that a negative prompt names.",
)
_stage(
    "things", learn_object_removal.train, 1000, 28, "Teach the U-Net to remove a thing that a negative prompt names."
)


@app.command()
def evaluate(
    folder: Folder = FOLDER,
    most: Annotated[int, typer.Option(min=1, help="Most pictures of each kind of prompt.")] = 120,
    judge_steps: Annotated[int, typer.Option(min=8, help="Batches in the training of the judge of things.")] = 1500,
) -> None:
    """Draw prompts that are not in the training data, judge the pictures, and write figures and a contact sheet."""
    for name, value in evaluate_pipeline(export.load(folder), folder, most=most, judge_steps=judge_steps).items():
        print(f"{name}: {value}")


@app.command("export")
def write(folder: Folder = FOLDER, target: Path = Path("models/pocket")) -> None:
    """Write the diffusers folder with its vocabulary and model card."""
    export.write(folder, target)


if __name__ == "__main__":
    app()
