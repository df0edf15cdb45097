"""Every stage of the recipe on a few samples, each after the one before it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from safetensors.torch import load_file
from typer.testing import CliRunner

from recipes.pocket.__main__ import app
from recipes.pocket.judging import questions
from recipes.pocket.judging.evaluate import evaluate
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
from tests.recipes.pocket.conftest import options_for


def train_autoencoder(options: StageOptions) -> None:
    autoencoder.train(options, text_encoder.load_tokenizer(options.folder))


STAGES: dict[str, tuple[Callable[[StageOptions], None], str]] = {
    "autoencoder": (train_autoencoder, "vae/diffusion_pytorch_model.safetensors"),
    "text": (text_encoder.train, "text_encoder/model.safetensors"),
    "unet": (unet.train, "unet/diffusion_pytorch_model.safetensors"),
    "wording": (learn_wordy_captions.train, "text_encoder/model.safetensors"),
    "negatives": (learn_color_removal.train, "text_encoder/model.safetensors"),
    "names": (learn_place_removal.train, "text_encoder/model.safetensors"),
    "things": (learn_object_removal.train, "unet/diffusion_pytorch_model.safetensors"),
}


@pytest.fixture(scope="module")
def run(data: Path) -> Path:
    """All stages, two steps each: the second one has an optimizer with a state."""
    for train, written in STAGES.values():
        train(options_for(data, 2))
        assert (data / written).exists()
    return data


@pytest.mark.slow
def test_the_exported_folder_is_a_stable_diffusion(run: Path, tmp_path: Path) -> None:
    (run / "figures.json").write_text(json.dumps({"object": "0.9"}))
    export.write(run, tmp_path)
    pipeline: Any = StableDiffusionPipeline.from_pretrained(tmp_path)
    drawn = pipeline("a red apple", num_inference_steps=2, height=64, width=64, output_type="pt").images
    assert drawn.shape == (1, 3, 64, 64)
    card = (tmp_path / "README.md").read_text()
    assert "| object | 0.9 |" in card
    assert "$" not in card
    assert str(run) not in "".join(file.read_text() for file in tmp_path.rglob("*.json"))


@pytest.mark.slow
def test_it_is_evaluated_on_what_was_held_out(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "STEPS", 2)  # after two batches of training, no step would make it a picture
    figures = evaluate(export.load(run), run, most=2, judge_steps=8)
    assert {"object, as in training", "color, in other words", "number, one to four", "place, ten places"} <= set(
        figures
    )
    assert (run / "contact-sheet.png").stat().st_size > 1_000


@pytest.mark.slow
def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Optimizer, average and scenes go on, so the weights are bit-identical."""
    file = run / "unet" / "diffusion_pytorch_model.safetensors"
    checkpoint = run / "unet.checkpoint.pt"
    words = load_file(run / "text_encoder" / "model.safetensors")

    def weights() -> dict[str, torch.Tensor]:
        encoder = text_encoder.load_text_encoder(run, torch.device("cpu"))
        encoder.load_state_dict(words)
        encoder.save_pretrained(run / "text_encoder")
        unet.train(options_for(run, 4))
        return load_file(file)

    checkpoint.unlink(missing_ok=True)
    whole = weights()
    checkpoint.unlink()
    seen: list[int] = []

    def break_off(self: unet.TrainingRun, **_: object) -> None:
        """Stop after the checkpoint of the second step, like a power cut."""
        seen.append(self.step)
        if self.step == 2:
            self.save()
            raise KeyboardInterrupt

    monkeypatch.setattr("recipes.pocket.stages.training_run._LOG_EVERY", 1)
    with monkeypatch.context() as patched:
        patched.setattr("recipes.pocket.stages.training_run.TrainingRun._log", break_off)
        with pytest.raises(KeyboardInterrupt):
            weights()
    assert seen == [1, 2]
    again = weights()
    assert all(again[name].equal(whole[name]) for name in whole)


def test_every_stage_has_a_command() -> None:
    help_text = CliRunner().invoke(app, ["--help"])
    assert help_text.exit_code == 0
    assert all(name in help_text.output for name in ("sprites", *STAGES, "evaluate", "export"))
