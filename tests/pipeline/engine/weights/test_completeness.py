"""Folders of a model with a part that is missing, of another model, or no numbers: one sentence names the part."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from safetensors.torch import load_file, save_file
from spandrel.architectures.ESRGAN import ESRGAN

from benchmarks.families.flows import FLOWS
from pipeline import announcing
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import DeviceLost, ModelUnavailable
from pipeline.engine.loop import Engine
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.loading import LoadedModel, load_model
from pipeline.engine.models.offering import check_models
from pipeline.engine.models.sizes import expected_bytes
from pipeline.engine.models.sources import check_source
from pipeline.engine.pixels.safety_checker import SafetyChecker
from pipeline.engine.weights import packages
from pipeline.protocol.catalogue.models import FAMILY_FACTS, ModelSpec
from pipeline.protocol.catalogue.networks import Enlarger, Family, FolderSource
from pipeline.protocol.usual import usual_request
from pipeline.protocol.wire.settings import EngineOptions
from tests.pipeline.engine import tiny
from tests.pipeline.engine.single_files import written
from tests.safety_checkers import save_checker

PLACEMENT = choose_placement("cpu", "float32")
UNET = "unet/diffusion_pytorch_model.safetensors"
TEXT = "text_encoder/model.safetensors"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models")
    tiny.stable_diffusion().save_pretrained(path / "sd")
    tiny.stable_diffusion_3().save_pretrained(path / "sd3")
    tiny.pixart_sigma().save_pretrained(path / "pipeline")
    for family, build in FLOWS.items():
        build().save_pretrained(path / family)
    return path


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy, to be broken."""
    return Path(shutil.copytree(saved / "sd", tmp_path / "model"))


def spec_of(folder: Path, family: Family = "sd", **more: Any) -> ModelSpec:
    sampler = {"own": "Model's own", "flow": "Flow Euler"}.get(FAMILY_FACTS[family].kind, "Euler")
    return msgspec.structs.replace(tiny.catalogue_of(folder, family, sampler).default, **more)


def refusal(spec: ModelSpec) -> str:
    with pytest.raises(ModelUnavailable) as error:
        check_source(spec)
    sentence = str(error.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def loaded(spec: ModelSpec) -> LoadedModel:
    return load_model(spec, PLACEMENT, None, lambda: None, LoraFolder(None))


def rewritten(file: Path, change: Callable[[dict[str, torch.Tensor]], Mapping[str, torch.Tensor]]) -> None:
    save_file(dict(change(load_file(file))), file, metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("family", "file", "part"),
    [
        ("sd", UNET, "U-Net"),
        ("sd", TEXT, "text encoder"),
        ("sd", "vae/diffusion_pytorch_model.safetensors", "VAE"),
        ("sd3", "transformer/diffusion_pytorch_model.safetensors", "transformer"),
        ("sd3", "text_encoder_2/model.safetensors", "second text encoder"),
        ("sd3", "text_encoder_3/model.safetensors", "third text encoder"),
        ("z-image", "transformer/diffusion_pytorch_model.safetensors", "transformer"),
        ("z-image", "text_encoder/model.safetensors", "text encoder"),
        ("flux2", "transformer/diffusion_pytorch_model.safetensors", "transformer"),
        ("pipeline", "transformer/diffusion_pytorch_model.safetensors", "transformer"),
        ("pipeline", "text_encoder/model.safetensors", "text encoder"),
    ],
)
def test_a_missing_weight_names_its_component(
    saved: Path, tmp_path: Path, family: Family, file: str, part: str
) -> None:
    folder = Path(shutil.copytree(saved / family, tmp_path / "model"))
    check_source(spec_of(folder, family))
    lost = sorted(load_file(folder / file))[3]
    rewritten(folder / file, lambda tensors: {name: each for name, each in tensors.items() if name != lost})
    sentence = refusal(spec_of(folder, family))
    assert f"The {part} in " in sentence
    assert "1 of its" in sentence
    assert lost.removeprefix("text_model.") in sentence


@pytest.mark.parametrize("file", [UNET, TEXT])
def test_a_weight_of_another_model_is_told(folder: Path, file: str) -> None:
    some = next(name for name, tensor in load_file(folder / file).items() if tensor.dim() == 2)
    rewritten(folder / file, lambda tensors: {**tensors, some: torch.zeros(3, 5)})
    sentence = refusal(spec_of(folder))
    assert "3 x 5 and not" in sentence
    assert "belong to different models" in sentence


def test_names_of_old_vaes_are_known(folder: Path) -> None:
    renamed = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def old(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        found = {}
        for name, tensor in tensors.items():
            for new, before in renamed.items():
                name = name.replace(f".{new}.", f".{before}.")  # noqa: PLW2901 - one name after the other
            found[name] = tensor
        return found

    rewritten(folder / "vae/diffusion_pytorch_model.safetensors", old)
    assert check_source(spec_of(folder)).unread == ()
    loaded(spec_of(folder))


def test_what_nobody_reads_is_told(folder: Path) -> None:
    rewritten(folder / UNET, lambda tensors: {**tensors, "control.weight": torch.zeros(1)})
    assert check_source(spec_of(folder)).unread == ("unet/control.weight",)


def _without_words(folder: Path) -> None:
    (folder / "tokenizer/tokenizer.json").unlink()


def _without_half_its_words(folder: Path) -> None:
    words = json.loads((folder / "tokenizer/tokenizer.json").read_text())
    words["model"]["vocab"] = dict(list(words["model"]["vocab"].items())[:300])
    words["model"]["merges"] = []
    (folder / "tokenizer/tokenizer.json").write_text(json.dumps(words))


def _cut_off(folder: Path) -> None:
    file = folder / "tokenizer/tokenizer.json"
    file.write_bytes(file.read_bytes()[:1_000])


def _with_too_many_words(folder: Path) -> None:
    file = folder / "text_encoder/config.json"
    config = json.loads(file.read_text())
    rewritten(
        folder / TEXT, lambda tensors: {name: each[:900] if _is_table(name) else each for name, each in tensors.items()}
    )
    file.write_text(json.dumps(config | {"vocab_size": 900}))


def _is_table(name: str) -> bool:
    return name.endswith("token_embedding.weight")


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (_without_words, "is not whole"),
        (_without_half_its_words, "is not whole"),
        (_cut_off, "cannot be read; download it again"),
        (_with_too_many_words, "the text encoder only 900"),
    ],
)
def test_a_tokenizer_that_is_not_whole_is_named(folder: Path, break_it: Callable[[Path], None], words: str) -> None:
    break_it(folder)
    sentence = refusal(spec_of(folder))
    assert "The tokenizer in" in sentence
    assert words in sentence


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 335\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "web page"),
        (b"GGUF\x03\x00\x00\x00" + bytes(64), "GGUF"),
        (b"PK\x03\x04" + bytes(64), "pickle"),
    ],
)
def test_what_lies_where_weights_should_is_recognised(folder: Path, content: bytes, words: str) -> None:
    (folder / UNET).write_bytes(content)
    assert words in refusal(spec_of(folder))


@pytest.mark.parametrize(
    ("how", "is_installed", "words"),
    [
        (
            {"quant_method": "bitsandbytes", "load_in_4bit": True},
            False,
            "install it with `uv sync --extra bitsandbytes`",
        ),
        ({"quant_method": "torchao"}, False, "`uv sync --extra torchao`"),
        ({"quant_method": "sdnq"}, True, "quantised by sdnq, which Easel does not read"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, True, 'say family = "pipeline"'),
        ({"quant_method": "torchao", "quant_type": {"_type": "Int8DynamicActivationConfig"}}, True, "on their company"),
        ({"quant_method": "torchao", "quant_type": {"_type": "Int8WeightOnlyConfig"}}, True, ""),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, True, ""),
    ],
)
def test_a_quantised_folder_is_read_if_it_can_be(
    folder: Path, how: dict[str, Any], is_installed: bool, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda _: is_installed or None)
    config = folder / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"quantization_config": how}))
    spec = spec_of(folder)
    if words:
        assert words in refusal(spec)
    else:
        check_source(spec)
        # The files hold float32, and loading keeps what they hold.
        half, kept = choose_placement("cpu", "bfloat16"), sum(each.nbytes for each in load_file(folder / UNET).values())
        assert (expected_bytes(spec, half, None) or 0) > kept
        assert "leave unet out of" in refusal(msgspec.structs.replace(spec, weights={"unet": "int8"}))


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("unet/config.json", "{", "unet/config.json cannot be read"),
        ("unet/config.json", "[]", "unet/config.json cannot be read"),
        ("text_encoder/config.json", None, "no text_encoder/config.json"),
        ("scheduler/scheduler_config.json", None, "no scheduler/scheduler_config.json"),
        ("scheduler/scheduler_config.json", '{"prediction_type": "velocity"}', "prediction type is 'velocity'"),
        ("scheduler/scheduler_config.json", '{"prediction_type": ["v"]}', "prediction type is"),
        ("scheduler/scheduler_config.json", '{"_class_name": "EDMEulerScheduler"}', "EDMEulerScheduler"),
        ("scheduler/scheduler_config.json", '{"_class_name": "FlowMatchEulerDiscreteScheduler"}', "FlowMatch"),
    ],
)
def test_a_wrong_configuration_is_named(folder: Path, file: str, content: str | None, words: str) -> None:
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content)
    assert words in refusal(spec_of(folder))


def test_a_folder_where_a_file_should_be_is_told(folder: Path) -> None:
    (folder / UNET).unlink()
    (folder / UNET).mkdir()
    assert "unet" in refusal(spec_of(folder))
    (folder / "unet/config.json").unlink()
    (folder / "unet/config.json").mkdir()
    assert "unet/config.json" in refusal(spec_of(folder))


def test_weights_that_may_run_code_are_told(folder: Path) -> None:
    (folder / UNET).rename(folder / "unet/diffusion_pytorch_model.bin")
    assert "may run foreign code" in refusal(spec_of(folder))


def test_a_prediction_of_the_catalogue_mends_an_unknown_one(folder: Path) -> None:
    file = folder / "scheduler/scheduler_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"prediction_type": "velocity"}))
    spec = spec_of(folder, prediction="v_prediction", zero_snr=True)
    found = check_source(spec).schedule
    assert found is not None
    assert (found.prediction, found.is_zero_snr) == ("v_prediction", True)
    config = loaded(spec).adapter.scheduler_config
    assert (config["prediction_type"], config["rescale_betas_zero_snr"]) == ("v_prediction", True)


def test_weights_that_are_only_there_as_a_variant_are_loaded(folder: Path) -> None:
    whole = expected_bytes(spec_of(folder), PLACEMENT, None)
    (folder / UNET).rename(folder / "unet/diffusion_pytorch_model.fp16.safetensors")
    tensors = load_file(folder / TEXT)
    names = sorted(tensors)
    shards = {f"model.bf16-0000{k}-of-00002.safetensors": names[k - 1 :: 2] for k in (1, 2)}
    for shard, keys in shards.items():
        save_file({key: tensors[key] for key in keys}, folder / "text_encoder" / shard, metadata={"format": "pt"})
    weight_map = {key: shard for shard, keys in shards.items() for key in keys}
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (folder / "text_encoder/model.safetensors.index.bf16.json").write_text(json.dumps(index))
    (folder / TEXT).unlink()
    assert expected_bytes(spec_of(folder), PLACEMENT, None) == whole
    found = loaded(spec_of(folder)).modules
    state = next(module.state_dict() for module in found if type(module).__name__ == "CLIPTextModel")
    assert all(torch.equal(tensors[name], state[name]) for name in names if name in state)
    (folder / "text_encoder/model.bf16-00002-of-00002.safetensors").unlink()
    assert "model.bf16-00002-of-00002" in refusal(spec_of(folder))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_blame_the_file(folder: Path, number: float) -> None:
    rewritten(folder / UNET, lambda tensors: {**tensors, "conv_out.bias": torch.full((4,), number)})
    with pytest.raises(ModelUnavailable, match=r"The U-Net of Tiny holds NaN or infinity .*conv_out.bias.*file"):
        loaded(spec_of(folder))


def test_weights_that_are_too_large_for_half_precision_say_so(folder: Path) -> None:
    rewritten(folder / UNET, lambda tensors: {**tensors, "conv_out.bias": torch.full((4,), 1e6)})
    with pytest.raises(ModelUnavailable, match=r"set pipeline.dtype to bfloat16 or float32"):
        load_model(spec_of(folder), choose_placement("cpu", "float16"), None, lambda: None)


@pytest.mark.parametrize(
    ("channels", "scale", "words"), [(1, 2, "1 color channels"), (3, 4, "does not enlarge 2 times but 4")]
)
def test_an_enlarger_that_does_not_fit_is_named(folder: Path, channels: int, scale: int, words: str) -> None:
    torch.manual_seed(0)
    network: Any = ESRGAN(in_nc=channels, out_nc=channels, num_filters=8, num_blocks=1, scale=scale)
    file = written(folder / "enlarger.safetensors", network.state_dict())
    assert words in refusal(spec_of(folder, enlarger=Enlarger(path=str(file), scale=2)))


def test_an_enlarger_that_is_none_or_no_numbers_is_named(folder: Path) -> None:
    network: Any = ESRGAN(in_nc=3, out_nc=3, num_filters=8, num_blocks=1, scale=2)
    state = {name: tensor * float("nan") for name, tensor in network.state_dict().items()}
    file = written(folder / "enlarger.safetensors", state)
    enlarger = Enlarger(path=str(file), scale=2)
    assert "holds NaN" in refusal(spec_of(folder, enlarger=enlarger))
    written(folder / "enlarger.safetensors", {"some": torch.zeros(3)})
    assert "cannot be loaded" in refusal(spec_of(folder, enlarger=enlarger))


def test_a_preview_decoder_that_is_not_whole_is_named(folder: Path) -> None:
    blocks: Any = {"encoder_block_out_channels": (8, 8), "decoder_block_out_channels": (8, 8)}
    numbers: Any = {"num_encoder_blocks": (1, 1), "num_decoder_blocks": (1, 1)}
    tiny.made(AutoencoderTiny, **blocks, **numbers).save_pretrained(folder / "taesd")
    spec = spec_of(folder, preview_decoder=FolderSource(path=str(folder / "taesd")))
    check_source(spec)
    rewritten(folder / "taesd/diffusion_pytorch_model.safetensors", lambda tensors: dict(sorted(tensors.items())[1:]))
    sentence = refusal(spec)
    assert "preview decoder of Tiny" in sentence
    assert "1 of its" in sentence


def test_whatever_a_library_raises_becomes_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(*_: object, **_options: object) -> None:
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")

    monkeypatch.setattr("pipeline.engine.models.loading.read_pipeline", raising)
    with pytest.raises(ModelUnavailable, match="The model Tiny cannot be loaded: NotImplementedError: Cannot copy"):
        loaded(spec_of(folder))


def test_a_safety_checker_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    save_checker(tmp_path)
    SafetyChecker(tmp_path, PLACEMENT)
    rewritten(tmp_path / "safety_checker/model.safetensors", lambda tensors: dict(sorted(tensors.items())[1:]))
    with pytest.raises(ModelUnavailable, match=r"safety checker .* 1 of its"):
        SafetyChecker(tmp_path, PLACEMENT)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), "cannot be made ready: RuntimeError: mat1"),
        (torch.OutOfMemoryError("CUDA out of memory"), "does not fit into the memory"),
        (ModelUnavailable("It is gone."), "It is gone."),
    ],
)
def test_a_worker_comes_up_without_a_model_that_cannot_be_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def raising(*_: object, **_options: object) -> None:
        raise error

    spec = spec_of(folder)
    offer = check_models([spec], None)
    engine = Engine(
        models=offer.models,
        placement=PLACEMENT,
        emit=print,
        activity=Activity(),
        options=EngineOptions(),
    )
    monkeypatch.setattr("pipeline.engine.models.cache.load_model", raising)
    announcing.preload("tiny", engine, offer)
    assert words in offer.missing["tiny"]


def test_a_device_that_is_lost_still_ends_the_worker(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(*_: object, **_options: object) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    offer = check_models([spec_of(folder)], None)
    monkeypatch.setattr("pipeline.engine.models.cache.load_model", raising)
    engine = Engine(
        models=offer.models,
        placement=PLACEMENT,
        emit=print,
        activity=Activity(),
        options=EngineOptions(),
    )
    with pytest.raises(DeviceLost):
        announcing.preload("tiny", engine, offer)


def test_the_layer_of_the_catalogue_is_taken(folder: Path) -> None:
    """By A1111's formula; diffusers' own pipeline looks for a part that transformers 5.6 took away."""
    reference: Any = StableDiffusionPipeline.from_pretrained(folder)
    request = usual_request(spec_of(folder))
    row = reference.tokenizer(request.prompt, padding="max_length", return_tensors="pt").input_ids
    with torch.inference_mode():
        states = reference.text_encoder(row, output_hidden_states=True).hidden_states
        for clip_skip in (1, 2, 3):
            ours = loaded(spec_of(folder, clip_skip=clip_skip)).adapter.encode_text(request).positive.at(1)
            theirs = reference.text_encoder.final_layer_norm(states[-clip_skip])
            assert torch.allclose(ours["prompt_embeds"], theirs, atol=1e-5)
