"""Files that are replaced under their names: what is drawn is all of the old one or all of the new one."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras import contents
from pipeline.engine.loras.contents import BrokenNumbers, MadeOfFiles, anything, read_contents
from pipeline.engine.models.loading import load_model
from pipeline.engine.weights.fingerprints import weights_of
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Submit
from tests.pipeline.engine import conftest
from tests.pipeline.engine.conftest import Studio
from tests.pipeline.engine.tiny import catalogue_of, stable_diffusion

MODULES = (
    "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q",
    "lora_te_text_model_encoder_layers_0_self_attn_q_proj",
)


def write(folder: Path, name: str, seed: int) -> Path:
    """A LoRA on both parts of the model, always as large."""
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, torch.Tensor] = {}
    for module in MODULES:
        state[f"{module}.lora_down.weight"] = torch.randn(4, 32, generator=generator)
        state[f"{module}.lora_up.weight"] = torch.randn(32, 4, generator=generator)
    save_file(state, folder / f"{name}.safetensors")
    return folder / f"{name}.safetensors"


def write_word(folder: Path, seed: int) -> None:
    word = torch.randn(2, 32, generator=torch.Generator().manual_seed(seed))
    save_file({"emb_params": word}, folder / "word.safetensors")


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    (tmp_path / "styles").mkdir()
    write(tmp_path / "styles", "fur", 1)
    write_word(tmp_path / "styles", 1)
    stable_diffusion().save_pretrained(tmp_path / "model")
    return Studio(catalogue_of(tmp_path / "model", "sd"), tmp_path / "styles")


def fresh(tmp_path: Path) -> Studio:
    return Studio(catalogue_of(tmp_path / "model", "sd"), tmp_path / "styles")


@pytest.fixture
def asked(request_: GenerationRequest) -> GenerationRequest:
    prompt = "a word cat <lora:fur:1>"
    return msgspec.structs.replace(
        request_, model_key="tiny", scheduler_name="Euler", num_inference_steps=2, prompt=prompt, width=64, height=64
    )


def test_a_replaced_style_is_drawn_whole(studio: Studio, asked: GenerationRequest, tmp_path: Path) -> None:
    styles = tmp_path / "styles"
    old = studio.draw(asked)
    before = [(path, path.stat()) for path in sorted(styles.iterdir())]
    write(styles, "fur", 2)
    write_word(styles, 2)
    for path, facts in before:
        assert path.stat().st_size == facts.st_size
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    new = studio.draw(asked)
    assert not new.equal(old)
    assert new.equal(fresh(tmp_path).draw(asked))
    recipe = studio.pictures(asked).recipe
    assert recipe is not None
    assert recipe.loras["fur"] == read_contents(styles / "fur.safetensors", anything).digest[:10]
    assert recipe.embeddings["word"] == read_contents(styles / "word.safetensors", anything).digest[:10]


def test_a_job_that_runs_keeps_the_file_that_it_began_with(
    studio: Studio, asked: GenerationRequest, tmp_path: Path
) -> None:
    old = studio.draw(asked)
    conftest._latents.clear()
    studio.engine.submit(Submit(job_id=1, attempt=1, request=asked))
    studio.engine.submit(Submit(job_id=2, attempt=1, request=asked))
    studio.engine.tick()
    write(tmp_path / "styles", "fur", 2)
    adapter: Any = studio.model.adapter
    for kept in (adapter._loras._files._made, adapter._loras._chosen, adapter._text._known):
        kept.clear()
    studio.engine.run_until_idle()
    running, waiting = conftest._latents
    assert running.equal(old)
    assert not waiting.equal(old)
    assert waiting.equal(fresh(tmp_path).draw(asked))


def test_a_style_that_is_gone_is_told(studio: Studio, asked: GenerationRequest, tmp_path: Path) -> None:
    studio.draw(asked)
    (tmp_path / "styles" / "fur.safetensors").unlink()
    save_file({"hada_w1_a": torch.ones(2, 2)}, tmp_path / "styles" / "word.safetensors")
    told = {notice.key: notice.values for notice in studio.encoded(asked).notices}
    assert told.keys() == {"notice-lora-broken", "notice-embedding-unfit"}
    assert told["notice-embedding-unfit"]["reason"] == "its file is no embedding any more"


def test_broken_numbers_are_the_files_fault(studio: Studio, asked: GenerationRequest, tmp_path: Path) -> None:
    path = tmp_path / "styles" / "fur.safetensors"
    state = load_file(path)
    for value, dtype in ((float("inf"), torch.float32), (float("nan"), torch.bfloat16)):
        broken = {name: tensor.to(dtype) for name, tensor in state.items()}
        next(iter(broken.values()))[0, 0] = value
        save_file(broken, path)
        with pytest.raises(BrokenNumbers, match=r"The file fur\.safetensors holds NaN or infinity"):
            read_contents(path, anything)
        assert [notice.key for notice in studio.encoded(asked).notices] == ["notice-style-numbers"]


def test_a_file_that_is_written_meanwhile_is_not_read_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "fur", 1)
    real = contents.header_in

    def and_somebody_writes(*given: Any) -> Any:
        with path.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"?")
        return real(*given)

    monkeypatch.setattr(contents, "header_in", and_somebody_writes)
    with pytest.raises(ModelUnavailable, match="is being written"):
        read_contents(path, anything)


def test_a_model_keeps_its_weights_while_its_file_is_written(tmp_path: Path) -> None:
    stable_diffusion().save_pretrained(tmp_path / "model")
    spec = catalogue_of(tmp_path / "model", "sd").default
    model = load_model(spec, choose_placement("cpu", "float32"), None, lambda: None)
    before = [tensor.clone() for part in model.modules for tensor in part.parameters()]
    for path in (tmp_path / "model").rglob("*.safetensors"):
        with path.open("r+b") as file:
            file.seek(-4_000, os.SEEK_END)
            file.write(bytes(4_000))
    after = [tensor for part in model.modules for tensor in part.parameters()]
    assert all(one.equal(other) for one, other in zip(before, after, strict=True))
    assert weights_of(spec) != model.weights


def test_a_file_is_read_once_until_it_changes(tmp_path: Path) -> None:
    paths = [write(tmp_path, f"style-{number}", number) for number in range(3)]
    made: list[str] = []
    files = MadeOfFiles(lambda each: made.append(each.name), anything, 2)
    for path in (*paths[:2], *paths[:2]):
        files.of(path)
    assert made == ["style-0.safetensors", "style-1.safetensors"]
    files.of(paths[2])
    files.of(paths[1])
    assert len(made) == 3
    files.of(paths[0])
    assert len(made) == 4, "the oldest was let go"
    paths[0].with_name("new.safetensors").write_bytes(paths[1].read_bytes())
    before = files.of(paths[0]).digest
    paths[0].with_name("new.safetensors").replace(paths[0])
    assert files.of(paths[0]).digest != before
