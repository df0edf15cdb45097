"""Families of flow transformers against diffusers' own pipelines, in float64, on tiny random models; and in company."""

import io
import random
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest
import torch
from PIL import Image

from config.capabilities import lacks_of_files
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.sources import check_source
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.catalogue.networks import FileSource
from pipeline.protocol.passes import passes_of
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers.table import SAMPLERS, offered_samplers
from pipeline.protocol.wire.messages import Failed, Finished, Progress
from tests.lora_files import every_module, write_lora
from tests.pipeline.engine.conftest import Studio
from tests.pipeline.engine.families.flow_variants import SHIFTS, VARIANTS, Opened
from tests.pipeline.engine.reference import TOLERANCE, final_latents
from tests.pipeline.engine.test_batching import Shared
from tests.pipeline.engine.tiny import catalogue_of, in_float64, pass_of

# diffusers' own transformer of Chroma makes a class by its old name.
pytestmark = pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning")


@pytest.fixture(scope="module")
def open_flow(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Opened]:
    opened: dict[tuple[str, str], Opened] = {}

    def open_once(name: str, shift: str = "dynamic") -> Opened:
        if (name, shift) not in opened:
            folder = tmp_path_factory.mktemp("model")
            pipeline = VARIANTS[name].build()
            pipeline.scheduler = type(pipeline.scheduler)(**SHIFTS[shift])
            pipeline.save_pretrained(folder)
            studio = Studio(catalogue_of(folder, VARIANTS[name].family, "Flow Euler"))
            opened[name, shift] = Opened(name, folder, studio, in_float64(type(pipeline).from_pretrained(folder)))
        return opened[name, shift]

    return open_once


@pytest.fixture(params=["Z-Image", "klein", "FLUX.1 dev", "Chroma", "FLUX.2 dev"])
def opened(request: pytest.FixtureRequest, open_flow: Callable[..., Opened]) -> Opened:
    return open_flow(request.param)


@pytest.fixture
def asked(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(
        request_, model_key="tiny", scheduler_name="Flow Euler", width=64, height=80, num_inference_steps=3
    )


@pytest.mark.parametrize(("name", "shift"), [("Z-Image", "static"), *((name, "dynamic") for name in VARIANTS)])
def test_latents_equal_diffusers(
    open_flow: Callable[..., Opened], asked: GenerationRequest, name: str, shift: str
) -> None:
    model = open_flow(name, shift)
    for number, (scale, negative) in enumerate(model.guides * 2):
        request = msgspec.structs.replace(
            asked,
            scheduler_name=offered_samplers("flow")[number // len(model.guides)],
            guidance_scale=scale,
            negative_prompt=negative,
            num_images=1 + number % 2,
        )
        assert model.difference(request) <= TOLERANCE, request


def test_every_sampler_has_the_spacing_of_the_family(opened: Opened) -> None:
    spaced = [
        sorted(set(opened.studio.model.adapter.build_scheduler(SAMPLERS[name], pass_of(5), []).sigmas.tolist()))
        for name in offered_samplers("flow")
    ]
    assert len(spaced[0]) == 6
    for other in spaced[1:]:
        assert other == pytest.approx(spaced[0], abs=1e-6)


def test_brackets_are_text_and_what_was_cut_is_told(opened: Opened, asked: GenerationRequest) -> None:
    request = msgspec.structs.replace(asked, prompt="a (red:1.4) [cat:dog:2]", num_inference_steps=1)
    assert opened.difference(request) <= TOLERANCE
    assert [notice.key for notice in opened.studio.encoded(request).notices] == ["notice-brackets-are-text"]
    long = msgspec.structs.replace(request, prompt="a" * 485 + " " + "b" * 30)
    (notice,) = opened.studio.encoded(long).notices
    assert (notice.key, notice.values) == ("notice-prompt-cut", {"text": "b" * 30})
    assert opened.difference(long) <= TOLERANCE


@pytest.fixture(scope="module")
def in_company(open_flow: Callable[..., Opened], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Shared]:
    known: dict[str, Shared] = {}

    def open_once(name: str) -> Shared:
        if name not in known:
            model = open_flow(name)
            network = model.reference.transformer
            folder = tmp_path_factory.mktemp("loras")
            names = {"transformer": every_module(network)}
            write_lora(folder / "fur.safetensors", {"transformer": network}, names, way="peft")
            catalogue = catalogue_of(model.folder, model.family, "Flow Euler")
            known[name] = Shared(catalogue, loras=LoraFolder(folder))
        return known[name]

    return open_once


@pytest.fixture
def shared(opened: Opened, in_company: Callable[[str], Shared], monkeypatch: pytest.MonkeyPatch) -> Generator[Shared]:
    found = in_company(opened.name)
    found.watch(monkeypatch)
    yield found
    found.engine.run_until_idle()


def test_mates_of_other_steps_guidance_text_and_lora_change_no_bit(
    opened: Opened, shared: Shared, asked: GenerationRequest
) -> None:
    dice = random.Random(5)
    wanted = [
        msgspec.structs.replace(
            asked,
            prompt="a red apple" + " in the snow" * dice.choice((0, 0, 1, 2)) + ("", "", "<lora:fur:0.7>")[number % 3],
            negative_prompt=negative,
            guidance_scale=scale,
            num_inference_steps=dice.randint(2, 5),
            scheduler_name=dice.choice(offered_samplers("flow")),
            num_images=dice.choice((1, 2)),
            height=64,
            seed=number,
        )
        for number, (scale, negative) in enumerate(opened.guides * 3)
    ]
    for job_id, each in enumerate(wanted):
        shared.submit(job_id, each)
        shared.engine.run_until_idle()
    alone, alone_forwards = shared.latents.copy(), len(shared.forwards)
    shared.latents.clear()
    shared.forwards.clear()
    for job_id, each in enumerate(wanted):
        shared.submit(job_id, each)
        if job_id % 3 == 2:
            shared.engine.tick()
    shared.engine.run_until_idle()
    assert not [event for event in shared.events if isinstance(event, Failed)]
    assert not [notice for event in shared.events if isinstance(event, Finished) for notice in event.notices]
    for job_id, latents in alone.items():
        assert shared.latents[job_id].equal(latents), wanted[job_id]
    assert len(shared.forwards) < 0.6 * alone_forwards, "they shared no forward"


def test_who_comes_later_joins_at_the_next_tick(shared: Shared, asked: GenerationRequest) -> None:
    shared.submit(1, msgspec.structs.replace(asked, num_inference_steps=12))
    for _ in range(3):
        shared.engine.tick()
    shared.submit(2, asked)
    shared.engine.tick()
    assert shared.of(Progress, 2)[-1].step == 1
    shared.engine.run_until_idle()
    assert shared.of(Finished, 1)


@pytest.mark.parametrize("name", VARIANTS)
def test_its_files_are_looked_through(open_flow: Callable[..., Opened], name: str) -> None:
    opened = open_flow(name)
    spec = catalogue_of(opened.folder, opened.family, "Flow Euler").default
    look = check_source(spec)
    assert look.unread == ()
    assert look.lacks == VARIANTS[opened.name].lacks == lacks_of_files(spec)


def test_pictures_become_latents_and_pixels_as_in_diffusers(open_flow: Callable[..., Opened]) -> None:
    """FLUX.2's network sees patches with statistics of their own."""
    model = open_flow("klein")
    adapter, pipeline = model.studio.model.adapter, model.reference
    pixels = torch.rand(1, 3, 64, 80, dtype=torch.float64)
    latents = adapter.encode(pixels)
    assert (latents - pipeline._encode_vae_image(pixels * 2 - 1, None)).abs().max() <= TOLERANCE
    assert adapter.posterior(pixels).deviation is None
    norm = pipeline.vae.bn
    patches = latents * torch.sqrt(norm.running_var + pipeline.vae.config.batch_norm_eps).view(1, -1, 1, 1)
    patches = patches + norm.running_mean.view(1, -1, 1, 1)
    shown = pipeline.vae.decode(pipeline._unpatchify_latents(patches)).sample
    assert (adapter.decode(latents) - (shown.float() / 2 + 0.5).clamp(0, 1)).abs().max() <= 1e-6
    assert adapter.decode(latents, "tiled").shape == pixels.shape
    assert adapter.size_multiple == 2 * pipeline.vae_scale_factor


def test_a_preview_shows_the_latents_of_the_network(opened: Opened, asked: GenerationRequest) -> None:
    latents = opened.studio.draw(msgspec.structs.replace(asked, num_inference_steps=1))
    model = opened.studio.model
    assert model.preview is not None
    side = max(latents.shape[2:])
    picture = Image.open(io.BytesIO(model.preview.draw(latents)))
    assert (side * model.adapter.scale_factor, picture.format) == (80, "WEBP")
    assert picture.width / picture.height == pytest.approx(64 / 80, rel=0.01)


@pytest.mark.parametrize("name", ["Z-Image", "klein", "FLUX.1 dev"])
def test_the_transformer_may_be_one_file(
    open_flow: Callable[..., Opened], asked: GenerationRequest, name: str, tmp_path: Path
) -> None:
    model = open_flow(name)
    rest = shutil.copytree(model.folder, tmp_path / "rest")
    file = shutil.move(rest / "transformer" / "diffusion_pytorch_model.safetensors", tmp_path / "network.safetensors")
    catalogue = catalogue_of(model.folder, model.family, "Flow Euler")
    spec = msgspec.structs.replace(catalogue.default, source=FileSource(path=str(file), config=str(rest)))
    look = check_source(spec)
    assert (look.unread, look.lacks) == ((), VARIANTS[name].lacks)
    studio = Studio(msgspec.structs.replace(catalogue, models=MappingProxyType({"tiny": spec})))
    assert studio.draw(asked).equal(model.studio.draw(asked))


@pytest.mark.parametrize("name", ["Z-Image", "klein", "FLUX.1 dev", "Chroma"])
def test_transformers_in_float8_draw_what_diffusers_draws(
    open_flow: Callable[..., Opened], asked: GenerationRequest, name: str
) -> None:
    """diffusers' hooks are on the layers, which Easel may call in an order of its own."""
    model = open_flow(name)
    catalogue = catalogue_of(model.folder, model.family, "Flow Euler")
    spec = msgspec.structs.replace(catalogue.default, weights={"transformer": "float8"})
    studio = Studio(msgspec.structs.replace(catalogue, models=MappingProxyType({"tiny": spec})))
    theirs = in_float64(type(model.reference).from_pretrained(model.folder))
    theirs.transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float64)
    drawn = studio.draw(asked)
    spacing = studio.model.adapter.spacing(passes_of(asked, FAMILY_FACTS[model.family])[0])
    assert (drawn - final_latents(theirs, asked, spacing)).abs().max().item() <= TOLERANCE
    assert (drawn - model.studio.draw(asked)).abs().max().item() > 1e-4


def test_a_model_of_another_class_is_a_sentence(open_flow: Callable[..., Opened]) -> None:
    spec = catalogue_of(open_flow("FLUX.1 dev").folder, "flux2", "Flow Euler").default
    with pytest.raises(
        ModelUnavailable, match="for a pipeline 'FluxPipeline', and its family wants Flux2KleinPipeline"
    ):
        check_source(spec)
