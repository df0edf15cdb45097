"""A LoRA in a catalogue entry: it is always there, as if each member named it, and it is told when it cannot be."""

from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest

from config.catalogue import Catalogue, load_catalogue
from config.loading import ConfigError
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.loading import load_model
from pipeline.engine.models.sources import check_source
from pipeline.protocol.catalogue.models import ModelLora
from pipeline.protocol.requests import GenerationRequest
from tests.lora_files import write_lora
from tests.pipeline.engine.conftest import Studio
from tests.pipeline.engine.tiny import stable_diffusion, stable_diffusion_xl

PLACEMENT = choose_placement("cpu", "float32")


@pytest.fixture(scope="module")
def styles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("styles")
    pipeline = stable_diffusion(has_single_answer=True)
    modules = {"unet": pipeline.unet, "text_encoder": pipeline.text_encoder}
    write_lora(folder / "fast.safetensors", modules, {name: linear(part) for name, part in modules.items()})
    write_lora(folder / "fur.safetensors", modules, {"unet": linear(modules["unet"])}, seed=1)
    return folder


def linear(module: object) -> list[str]:
    names = [name for name, _ in module.named_modules() if name.endswith(("to_q", "q_proj"))]  # pyright: ignore[reportAttributeAccessIssue]
    assert names
    return names


def with_lora(catalogue: Catalogue, path: Path, scale: float = 1.0) -> Catalogue:
    spec = msgspec.structs.replace(catalogue.default, lora=ModelLora(path=str(path), scale=scale))
    return msgspec.structs.replace(catalogue, models=MappingProxyType({spec.key: spec}))


def test_it_draws_as_if_every_prompt_named_it(
    small_catalogue: Catalogue, styles: Path, request_: GenerationRequest
) -> None:
    studio = Studio(with_lora(small_catalogue, styles / "fast.safetensors", 0.75), styles)
    plain = Studio(small_catalogue, styles)

    def asked(prompt: str) -> GenerationRequest:
        return msgspec.structs.replace(request_, prompt=prompt, num_inference_steps=3)

    assert studio.draw(asked("a star")).equal(plain.draw(asked("a star <lora:fast:0.75>")))
    assert not studio.draw(asked("a star")).equal(plain.draw(asked("a star")))
    both = plain.draw(asked("a star <lora:fast:0.75> <lora:fur:0.5>"))
    assert studio.draw(asked("a star <lora:fur:0.5>")).equal(both)
    recipe = studio.pictures(asked("a star")).recipe
    assert recipe is not None
    assert list(recipe.loras) == ["fast"]


def test_one_that_is_missing_or_does_not_fit_is_told(small_catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"There is no file .*nowhere"):
        check_source(with_lora(small_catalogue, tmp_path / "nowhere.safetensors").default)
    other = stable_diffusion_xl()
    path = tmp_path / "xl.safetensors"
    write_lora(path, {"unet": other.unet}, {"unet": ["mid_block.attentions.0.transformer_blocks.0.attn2.to_k"]})
    with pytest.raises(ModelUnavailable, match=r"The LoRA xl.safetensors of its entry cannot be used: "):
        load_model(with_lora(small_catalogue, path).default, PLACEMENT, None, lambda: None)


def test_a_pipeline_takes_none(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text(
        '[[model]]\nkey = "a"\ntitle = "A"\nfamily = "pipeline"\nlicense = "MIT"\n'
        'source = { kind = "folder", path = "a" }\nlora = { path = "fast.safetensors" }\n'
        '[model.defaults]\nsampler = "Model\'s own"\n'
    )
    with pytest.raises(ConfigError, match="leave out lora"):
        load_catalogue(tmp_path / "models.toml", "a")


def test_its_path_is_relative_to_the_catalogue(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text(
        '[[model]]\nkey = "a"\ntitle = "A"\nfamily = "sd"\nlicense = "MIT"\n'
        'source = { kind = "folder", path = "a" }\nlora = { path = "lcm.safetensors", scale = 0.5 }\n'
        '[model.defaults]\nsampler = "LCM"\nsteps = 4\ncfg = 1.0\n'
    )
    spec = load_catalogue(tmp_path / "models.toml", "a").default
    assert spec.lora == ModelLora(path=str(tmp_path / "lcm.safetensors"), scale=0.5)
