"""One-file checkpoints: no component is missing in silence, and no key with a meaning is dropped."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.torch import load_file

from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.capabilities import check_edits
from pipeline.engine.models.loading import LoadedModel, load_model
from pipeline.engine.models.offering import check_models
from pipeline.engine.models.sources import check_source
from pipeline.engine.weights.marks import read_marks
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import Family, FileSource, FolderSource
from pipeline.protocol.samplers.table import SAMPLERS
from tests.pipeline.engine import tiny
from tests.pipeline.engine.single_files import Tensors, checkpoint_of, vae_of, written
from tests.pipeline.engine.weights.test_completeness import refusal, spec_of

PLACEMENT = choose_placement("cpu", "float32")
PIPELINE = tiny.stable_diffusion()
WEIGHT = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight"
NETWORK_WEIGHT = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the configurations, and weights that no one-file checkpoint needs."""
    folder = tmp_path_factory.mktemp("config")
    PIPELINE.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    return checkpoint_of(PIPELINE)


def _spec(path: Path, config: Path, family: Family = "sd", **more: Any) -> ModelSpec:
    return spec_of(path, family, source=FileSource(path=str(path), config=str(config)), **more)


def _loaded(spec: ModelSpec) -> LoadedModel:
    return load_model(spec, PLACEMENT, None, lambda: None)


def _weight(model: LoadedModel) -> torch.Tensor:
    return model.adapter.network.state_dict()[NETWORK_WEIGHT]


def test_a_whole_file_is_what_it_was_made_of(tmp_path: Path, config: Path, tensors: Tensors) -> None:
    spec = _spec(written(tmp_path / "a.safetensors", tensors), config)
    assert check_source(spec).unread == ()
    theirs = PIPELINE.unet.state_dict()
    ours = _loaded(spec).adapter.network.state_dict()
    assert all(torch.equal(tensor, ours[name]) for name, tensor in theirs.items())


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("first_stage_model.", "holds no VAE: name one in the catalogue, such as vae ="),
        ("cond_stage_model.", "holds no text encoder: it is not a whole checkpoint"),
        ("model.diffusion_model.", "holds no U-Net: it is not a whole checkpoint"),
        ("model.diffusion_model.middle_block.1", "The U-Net in a.safetensors is not whole"),
        ("cond_stage_model.transformer.text_model.encoder.layers.1", "The text encoder in a.safetensors is not whole"),
        ("first_stage_model.decoder.conv_in", "The VAE in a.safetensors is not whole: 2 of its"),
    ],
)
def test_what_a_file_lacks_is_named(tmp_path: Path, config: Path, tensors: Tensors, lost: str, words: str) -> None:
    less = {name: tensor for name, tensor in tensors.items() if not name.startswith(lost)}
    assert words in refusal(_spec(written(tmp_path / "a.safetensors", less), config))


def test_a_vae_that_the_catalogue_names_is_taken(tmp_path: Path, config: Path, tensors: Tensors) -> None:
    less = {name: tensor for name, tensor in tensors.items() if not name.startswith("first_stage_model.")}
    path = written(tmp_path / "a.safetensors", less)
    alone = {name: tensor.clone().contiguous() for name, tensor in PIPELINE.vae.state_dict().items()}
    sources = (
        FileSource(path=str(written(tmp_path / "new.safetensors", alone))),
        FileSource(path=str(written(tmp_path / "old.safetensors", checkpoint_of_vae()))),
        FolderSource(path=str(config / "vae")),
        FolderSource(path=str(config)),
    )
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    usual = _loaded(spec_of(config)).adapter.decode(latents)
    for source in sources:
        assert torch.equal(_loaded(_spec(path, config, vae=source)).adapter.decode(latents), usual)


def checkpoint_of_vae() -> Tensors:
    return {name: tensor.contiguous().clone() for name, tensor in vae_of(PIPELINE.vae.state_dict()).items()}


def test_a_vae_of_the_catalogue_comes_before_a_folder_s_own(tmp_path: Path, config: Path) -> None:
    torch.manual_seed(9)
    other: Any = tiny.autoencoder()
    other.save_pretrained(tmp_path / "vae")
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    ours = _loaded(spec_of(config, vae=FolderSource(path=str(tmp_path / "vae")))).adapter.decode(latents)
    with torch.inference_mode():
        theirs = other.eval().decode(latents / other.config.scaling_factor).sample
    assert torch.allclose(ours, (theirs / 2 + 0.5).clamp(0, 1), atol=1e-6)


def test_a_vae_that_is_none_or_of_other_latents_is_named(tmp_path: Path, config: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none/config.json").write_text('{"_class_name": "UNet2DConditionModel"}')
    assert "which is no VAE" in refusal(spec_of(config, vae=FolderSource(path=str(tmp_path / "none"))))
    assert "no file" in refusal(spec_of(config, vae=FileSource(path=str(tmp_path / "x.safetensors"))))
    tiny.autoencoder(latent_channels=8).save_pretrained(tmp_path / "wide")
    with pytest.raises(ModelUnavailable, match="VAE has 8 channels"):
        _loaded(spec_of(config, vae=FolderSource(path=str(tmp_path / "wide"))))
    no_vae = {"some.weight": torch.zeros(2)}
    path = written(tmp_path / "no.safetensors", no_vae)
    assert "VAE" in refusal(spec_of(config, vae=FileSource(path=str(path))))


def _scaled(tensors: Tensors, end: str, rows: int = 1, more: Tensors | None = None) -> Tensors:
    weight = tensors[WEIGHT]
    largest = weight.abs().max() if rows == 1 else weight.abs().amax(1)
    scale = (largest / 448).reshape(rows)
    kept = (weight / (scale if rows == 1 else scale[:, None])).to(torch.float8_e4m3fn)
    return {**tensors, WEIGHT: kept, WEIGHT.removesuffix(".weight") + end: scale, **(more or {})}


def _said(format_: str) -> torch.Tensor:
    return torch.tensor(list(json.dumps({"format": format_}).encode()), dtype=torch.uint8)


@pytest.mark.parametrize("end", [".scale_weight", ".weight_scale"])
@pytest.mark.parametrize("rows", [1, 32])
def test_scales_of_float8_are_multiplied(tmp_path: Path, config: Path, tensors: Tensors, end: str, rows: int) -> None:
    base = WEIGHT.removesuffix(".weight")
    marks = {
        "scaled_fp8": torch.zeros(2).to(torch.float8_e4m3fn),
        f"{base}.scale_input": torch.ones(1),
        f"{base}.comfy_quant": _said("float8_e4m3fn"),
    }
    spec = _spec(written(tmp_path / "a.safetensors", _scaled(tensors, end, rows, marks)), config)
    assert check_source(spec).unread == ()
    assert (_weight(_loaded(spec)) - tensors[WEIGHT]).abs().max() <= 0.07 * tensors[WEIGHT].abs().max()


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.bfloat16, torch.float16])
def test_weights_of_fewer_bits_need_no_scale(
    tmp_path: Path, config: Path, tensors: Tensors, dtype: torch.dtype
) -> None:
    fewer = {name: tensor.to(dtype) for name, tensor in tensors.items()}
    model = _loaded(_spec(written(tmp_path / "a.safetensors", fewer), config))
    assert torch.equal(_weight(model), tensors[WEIGHT].to(dtype).float())


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({f"{WEIGHT}.absmax": torch.zeros(2)}, "bitsandbytes"),
        ({f"{WEIGHT}.quant_state.bitsandbytes__nf4": torch.zeros(2, dtype=torch.uint8)}, "bitsandbytes"),
        ({WEIGHT: torch.zeros(512, 1, dtype=torch.uint8)}, "uint8"),
        ({WEIGHT: torch.zeros(32, 32, dtype=torch.int8)}, "int8"),
        ({WEIGHT.replace(".weight", ".qweight"): torch.zeros(2, dtype=torch.int32)}, "GPTQ"),
        ({WEIGHT.replace(".weight", ".wscales"): torch.zeros(2)}, "SVDQuant"),
        ({WEIGHT.replace(".weight", ".weight_scale_2"): torch.zeros(2)}, "NVFP4"),
        ({WEIGHT.replace(".weight", ".scale_weight"): torch.zeros(1)}, "fits no float8 weight"),
        ({"nowhere.scale_weight": torch.zeros(1)}, "fits no float8 weight"),
    ],
)
def test_what_is_quantised_otherwise_is_refused_by_name(
    tmp_path: Path, config: Path, tensors: Tensors, more: Tensors, words: str
) -> None:
    assert words in refusal(_spec(written(tmp_path / "a.safetensors", {**tensors, **more}), config))


def test_what_comfy_ui_quantised_otherwise_is_refused(tmp_path: Path, config: Path, tensors: Tensors) -> None:
    said = {WEIGHT.replace(".weight", ".comfy_quant"): _said("mxfp8")}
    path = written(tmp_path / "a.safetensors", _scaled(tensors, ".weight_scale", more=said))
    assert "mxfp8" in refusal(_spec(path, config))


def test_scales_in_a_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    PIPELINE.save_pretrained(folder)
    file = folder / "unet/diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    name = NETWORK_WEIGHT.replace(".weight", ".weight_scale")
    written(file, {**weights, name: torch.ones(1)})
    assert "The U-Net in" in refusal(spec_of(folder))


@pytest.mark.parametrize(
    ("more", "metadata", "prediction", "zero_snr"),
    [
        ({}, {}, "epsilon", False),
        ({"v_pred": torch.zeros(1)}, {}, "v_prediction", False),
        ({"v_pred": torch.zeros(1), "ztsnr": torch.zeros(1)}, {}, "v_prediction", True),
        ({"ztsnr": torch.zeros(1)}, {}, "epsilon", False),
        ({}, {"modelspec.prediction_type": "v"}, "v_prediction", False),
        ({}, {"modelspec.prediction_type": "epsilon"}, "epsilon", False),
        ({}, {"ss_v_parameterization": "True", "ss_zero_terminal_snr": "True"}, "v_prediction", True),
        ({}, {"modelspec.architecture": "stable-diffusion-v1", "modelspec.title": "Any"}, "epsilon", False),
    ],
)
def test_what_a_file_says_of_itself_is_heeded(
    tmp_path: Path,
    config: Path,
    tensors: Tensors,
    more: Tensors,
    metadata: dict[str, str],
    prediction: str,
    zero_snr: bool,
) -> None:
    spec = _spec(written(tmp_path / "a.safetensors", {**tensors, **more}, metadata), config)
    look = check_source(spec)
    assert look.unread == ()
    assert look.schedule is not None
    assert (look.schedule.prediction, look.schedule.is_zero_snr) == (prediction, zero_snr)
    offer = check_models([spec], None)
    left = offer.models["tiny"].offered_samplers
    assert all(SAMPLERS[name].honours(look.schedule) for name in left)
    assert ("Heun" in left) is not zero_snr
    assert ("tiny" in offer.samplers) is zero_snr
    if zero_snr:
        adapter = _loaded(spec).adapter
        assert adapter.scheduler_config["prediction_type"] == prediction
        scheduler = adapter.build_scheduler(SAMPLERS["Euler"], tiny.pass_of(4), [torch.Generator()])
        assert scheduler.config.prediction_type == "v_prediction"
        assert scheduler.config.rescale_betas_zero_snr


@pytest.mark.parametrize(
    ("more", "metadata", "words"),
    [
        ({"edm_mean": torch.zeros(4)}, {}, "EDM"),
        ({}, {"modelspec.prediction_type": "velocity field"}, "'velocity field'"),
        ({}, {"modelspec.architecture": "stable-diffusion-v1/lora"}, "is a lora for stable-diffusion-v1"),
        ({}, {"modelspec.architecture": "stable-diffusion-xl-v1-base"}, 'set family = "sdxl"'),
    ],
)
def test_what_cannot_be_heeded_is_refused(
    tmp_path: Path, config: Path, tensors: Tensors, more: Tensors, metadata: dict[str, str], words: str
) -> None:
    path = written(tmp_path / "a.safetensors", {**tensors, **more}, metadata)
    assert words in refusal(_spec(path, config))


@pytest.mark.parametrize("said", ["epsilon", "flow", "rectified flow"])
def test_what_a_flow_is_said_to_predict_is_passed_over(tmp_path: Path, tensors: Tensors, said: str) -> None:
    path = written(tmp_path / "a.safetensors", tensors, {"modelspec.prediction_type": said})
    assert read_marks(path, spec_of(path, "sd3")).prediction is None


def test_the_catalogue_comes_before_the_file(tmp_path: Path, config: Path, tensors: Tensors) -> None:
    marked = {**tensors, "v_pred": torch.zeros(1), "ztsnr": torch.zeros(1)}
    path = written(tmp_path / "a.safetensors", marked)
    look = check_source(_spec(path, config, prediction="epsilon", zero_snr=False))
    assert look.schedule is not None
    assert (look.schedule.prediction, look.schedule.is_zero_snr) == ("epsilon", False)


def test_leftovers_are_told(tmp_path: Path, config: Path, tensors: Tensors) -> None:
    odd = {"mystery.weight": torch.zeros(1), "model.diffusion_model.input_blocks.0.0.extra": torch.zeros(1)}
    usual = {"betas": torch.zeros(1), "model_ema.decay": torch.zeros(1)}
    # Of Stable Diffusion 2, and of what ComfyUI saves of 1.5.
    usual |= {f"cond_stage_model.{name}": torch.zeros(1) for name in ("model.text_projection", "model.attn_mask")}
    usual |= {"cond_stage_model.transformer.text_projection.weight": torch.zeros(1)}
    spec = _spec(written(tmp_path / "a.safetensors", {**tensors, **odd, **usual}), config)
    assert check_source(spec).unread == tuple(sorted(odd))
    remark = check_models([spec], None).remarks["tiny"]
    assert remark.startswith("Nobody reads model.diffusion_model.input_blocks.0.0.extra, mystery.weight in its files.")


def test_a_file_of_another_family_is_told(tmp_path: Path, config: Path, tensors: Tensors) -> None:
    def told(family: Family, more: Tensors) -> str:
        return refusal(_spec(written(tmp_path / "a.safetensors", {**tensors, **more}), config, family))

    assert "or of another family than the catalogue names" in told("sdxl", {})
    xl = {"conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias": torch.zeros(2)}
    assert 'looks like xl_base; set family = "sdxl"' in told("sd", xl)
    flux = {"double_blocks.0.img_attn.norm.key_norm.scale": torch.zeros(2)}
    assert "looks like flux-schnell, which Easel does not read from one file" in told("sd", flux)


def test_a_file_beside_the_configuration_of_another_model_is_told(tmp_path: Path, tensors: Tensors) -> None:
    torch.manual_seed(1)
    tiny.stable_diffusion(in_channels=8).save_pretrained(tmp_path / "other")
    path = written(tmp_path / "a.safetensors", tensors)
    sentence = refusal(_spec(path, tmp_path / "other"))
    assert "The U-Net in a.safetensors is not the one of its configuration: conv_in.weight is" in sentence


def test_an_inpainting_model_is_read_from_one_file(tmp_path: Path) -> None:
    torch.manual_seed(1)
    pipeline = tiny.stable_diffusion(in_channels=9)
    pipeline.save_pretrained(tmp_path / "inpainting")
    path = written(tmp_path / "a.safetensors", checkpoint_of(pipeline))
    assert _loaded(_spec(path, tmp_path / "inpainting")).adapter.extra_channels == 5


def test_an_instruct_model_is_read_from_one_file_if_its_entry_says_edits(tmp_path: Path) -> None:
    torch.manual_seed(1)
    pipeline = tiny.stable_diffusion(in_channels=8)
    pipeline.save_pretrained(tmp_path / "instruct")
    path = written(tmp_path / "a.safetensors", checkpoint_of(pipeline))
    spec = msgspec.structs.replace(_spec(path, tmp_path / "instruct"), edits=True)
    assert _loaded(spec).adapter.is_editing
    with pytest.raises(ModelUnavailable, match="write edits = true in its entry"):
        check_source(msgspec.structs.replace(spec, edits=False))
    # Without a configuration beside it, only the loaded model tells.
    with pytest.raises(ModelUnavailable, match="leave out edits in its entry"):
        check_edits(spec, is_editing=False)


def test_a_lora_is_no_model(tmp_path: Path, config: Path) -> None:
    path = written(tmp_path / "a.safetensors", {"lora_unet_mid.lora_up.weight": torch.zeros(2, 2)})
    assert "not a whole checkpoint" in refusal(_spec(path, config))


def test_a_layer_that_a_file_asks_for_is_taken(tmp_path: Path, config: Path, tensors: Tensors) -> None:
    asking = {"modelspec.encoder_layer": "2"}
    path = written(tmp_path / "a.safetensors", tensors, asking)
    assert check_source(_spec(path, config)).marks.clip_skip == 2
    with pytest.raises(ModelUnavailable, match="clip_skip is 4, but a text encoder of the model has 3 layers"):
        _loaded(_spec(path, config, clip_skip=4))
