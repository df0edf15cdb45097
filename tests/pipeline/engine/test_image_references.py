"""Pictures as references: the latents of diffusers' IP-Adapters, in a batch with other people's jobs."""

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import StableDiffusionImg2ImgPipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint import StableDiffusionInpaintPipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img import (
    StableDiffusionXLImg2ImgPipeline,
)
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_inpaint import (
    StableDiffusionXLInpaintPipeline,
)
from PIL import Image
from transformers import CLIPVisionModelWithProjection

from pipeline.engine.loras.files import Pair
from pipeline.engine.loras.rows import LoraRows, RowLora
from pipeline.engine.references.encoder import squared
from pipeline.engine.references.files import Kind
from pipeline.engine.references.layers import cross_attention
from pipeline.engine.references.rows import Attended, ReferenceRows, RowReference
from pipeline.engine.steps.batching import shapes
from pipeline.protocol.catalogue.networks import FileSource, FolderSource, ReferenceSpec, ReferenceUse
from pipeline.protocol.inputs import Input, InputRole, Use
from pipeline.protocol.requests import GenerationRequest, narrowed
from pipeline.protocol.wire.messages import Failed, Finished, Submit
from pipeline.protocol.wire.settings import Acceleration
from tests.pipeline.engine.given_pictures import blot, from_picture, photo, png, redrawn
from tests.pipeline.engine.reference import TOLERANCE, final_latents
from tests.pipeline.engine.scenes import BUILDERS, Mixed, Scene
from tests.pipeline.engine.tiny import catalogue_of, stable_diffusion
from tests.pipeline.engine.tiny_adapters import deeper, save_adapter, save_encoder

UnetFamily = Literal["sd", "sdxl"]
PIPELINES: dict[UnetFamily, Any] = {"sd": StableDiffusionPipeline, "sdxl": StableDiffusionXLPipeline}
TWINS: dict[UnetFamily, tuple[Any, Any]] = {
    "sd": (StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline),
    "sdxl": (StableDiffusionXLImg2ImgPipeline, StableDiffusionXLInpaintPipeline),
}
"""Pipelines that start from a picture, and that draw a part of it anew."""
KINDS: tuple[Kind, ...] = ("plain", "plus", "full")
EVERY: tuple[ReferenceUse, ...] = ("style", "subject", "composition", "face")


def adapters_in(folder: Path, unet: Any, family: UnetFamily) -> dict[str, ReferenceSpec]:
    """An adapter of each kind, which share an encoder."""
    encoder = FolderSource(path=str(save_encoder(folder / "encoder")))
    return {
        kind: ReferenceSpec(
            key=kind,
            title=f"The {kind} one",
            source=FileSource(path=str(save_adapter(folder / f"{kind}.safetensors", unet, kind, number))),
            encoder=encoder,
            family=family,
            uses=EVERY,
            license="none",
        )
        for number, kind in enumerate(KINDS)
    }


def reference(
    network: str, scale: float, use: Use | None = Use.SUBJECT, start: float = 0.0, end: float = 1.0
) -> dict[str, Any]:
    """Fields of an input with the role reference."""
    return {"network": network, "strength": scale, "use": use, "start": start, "end": end}


def referring(
    request: GenerationRequest, job_id: int, *given: tuple[dict[str, Any], Image.Image], inputs: Sequence[Input] = ()
) -> Submit:
    """The request with these references, on its way."""
    pictures: dict[str, bytes] = {}
    more: list[Input] = []
    for fields, picture in given:
        data = png(picture)
        key = hashlib.sha256(data).hexdigest()
        pictures[key] = data
        more.append(Input(role=InputRole.REFERENCE, sha256=key, **fields))
    request = msgspec.structs.replace(request, inputs=(*inputs, *more))
    return Submit(job_id=job_id, attempt=1, request=request, pictures=pictures)


class Case(NamedTuple):
    """A job with references, and how diffusers is asked for the same.

    Attributes:
        submit: the job.
        adapters: kinds of the adapters that diffusers loads, in order.
        scales: scale of each adapter.
        pictures: pictures of each adapter.
        window: steps in which the scales are on; None is every step.
    """

    submit: Submit
    adapters: Sequence[Kind]
    scales: Sequence[Any]
    pictures: Sequence[Sequence[Image.Image]]
    window: range | None = None


def scene_of(family: UnetFamily, folder: Path) -> Scene:
    """A scene whose model has an adapter of each kind."""
    pipeline = deeper(BUILDERS[family]())
    return Scene(family, pipeline, folder, adapters_in(folder, pipeline.unet, family))


def expected(scene: Scene, case: Case, some_class: Any, **options: Any) -> torch.Tensor:
    """Final latents of one of diffusers' pipelines with the adapters of a case, alone."""
    encoder: Any = CLIPVisionModelWithProjection.from_pretrained(scene.folder / "encoder")
    drawing = scene.pipeline(some_class, image_encoder=encoder.to(torch.float64), feature_extractor=None)
    names = [f"{kind}.safetensors" for kind in case.adapters]
    drawing.load_ip_adapter(
        [str(scene.folder)] * len(names),
        subfolder=[""] * len(names),
        weight_name=names,
        image_encoder_folder=None,
        local_files_only=True,
    )
    off = [0.0] * len(names)

    def after(_: Any, step: int, __: Any, given: Any) -> Any:
        drawing.set_ip_adapter_scale([*case.scales] if case.window is None or step + 1 in case.window else off)
        return given

    try:
        after(None, -1, None, None)
        squares = [[squared(picture) for picture in group] for group in case.pictures]
        request = narrowed(case.submit.request, GenerationRequest)
        return final_latents(drawing, request, ip_adapter_image=squares, callback_on_step_end=after, **options)
    finally:
        # It gives the U-Net back as it was.
        drawing.unload_ip_adapter()


OpenScene = Callable[[UnetFamily], Scene]


@pytest.fixture(scope="module")
def open_scene(tmp_path_factory: pytest.TempPathFactory) -> OpenScene:
    opened: dict[UnetFamily, Scene] = {}

    def open_once(family: UnetFamily) -> Scene:
        if family not in opened:
            opened[family] = scene_of(family, tmp_path_factory.mktemp("model"))
        return opened[family]

    return open_once


@pytest.fixture
def tiny_request(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(request_, model_key="tiny", width=64, height=80, num_inference_steps=5)


STYLE: dict[UnetFamily, Any] = {"sd": {"up": {"block_1": 0.8}}, "sdxl": {"up": {"block_0": [0.0, 0.8, 0.0]}}}
COMPOSITION: dict[UnetFamily, Any] = {
    "sd": {"down": {"block_2": 0.9}, "mid": 0.9},
    "sdxl": {"down": {"block_2": [0.0, 0.9]}},
}


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_every_kind_draws_what_diffusers_draws_in_one_batch(
    open_scene: OpenScene, tiny_request: GenerationRequest, family: UnetFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, like = open_scene(family), tiny_request
    one, two, wide = photo(seed=1), photo(seed=2), photo(90, 50, 3)
    guided = msgspec.structs.replace(like, guidance_scale=6.0, negative_prompt="red", num_images=2, seed=5)
    plain = msgspec.structs.replace(like, guidance_scale=1.0)
    late = msgspec.structs.replace(guided, scheduler_name="Euler a", num_images=1)
    cases = [
        Case(referring(plain, 1, (reference("plain", 0.6), one)), ("plain",), [0.6], [[one]]),
        Case(referring(guided, 2, (reference("plain", 1.3), wide)), ("plain",), [1.3], [[wide]]),
        Case(
            referring(guided, 3, (reference("plus", 0.5), one), (reference("plus", 0.5), two)),
            ("plus",),
            [0.5],
            [[one, two]],
        ),
        Case(
            referring(
                guided, 4, (reference("plus", 0.8, Use.STYLE), one), (reference("plain", 0.9, Use.COMPOSITION), two)
            ),
            ("plus", "plain"),
            [STYLE[family], COMPOSITION[family]],
            [[one], [two]],
        ),
        Case(
            referring(late, 5, (reference("full", 0.7, Use.FACE, 0.2, 0.8), two)),
            ("full",),
            [0.7],
            [[two]],
            range(1, 4),
        ),
        Case(
            referring(late, 6, (reference("plus", 0.2), one), (reference("plus", 0.9), two)),
            ("plus", "plus"),
            [0.2, 0.9],
            [[one], [two]],
        ),
    ]
    plain_jobs = [
        Submit(job_id=10 + number, attempt=1, request=request) for number, request in enumerate((plain, late))
    ]
    latents = scene.mixed.draw([plain_jobs[0], *(case.submit for case in cases), plain_jobs[1]], monkeypatch)
    for case in cases:
        difference = (latents[case.submit.job_id] - expected(scene, case, PIPELINES[family])).abs().max().item()
        assert difference <= TOLERANCE, (case.submit.job_id, difference)
    for submit in plain_jobs:
        wanted = scene.expected(PIPELINES[family], submit)
        assert (latents[submit.job_id] - wanted).abs().max().item() <= TOLERANCE
    assert (latents[1] - latents[10]).abs().max() > 1e-3


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_a_reference_goes_with_a_picture_to_start_from_and_with_a_mask(
    open_scene: OpenScene, tiny_request: GenerationRequest, family: UnetFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several pictures of one job, each for something else, beside a job from words alone."""
    scene = open_scene(family)
    size = tiny_request.width, tiny_request.height
    start, seen, mask = photo(*size, 1), photo(seed=2), blot(*size)
    guided = msgspec.structs.replace(tiny_request, guidance_scale=6.0, negative_prompt="red", seed=5)

    def with_reference(submit: Submit, kind: Kind, scale: float) -> Submit:
        request = narrowed(submit.request, GenerationRequest)
        found = referring(request, submit.job_id, (reference(kind, scale), seen), inputs=request.inputs)
        return msgspec.structs.replace(found, pictures={**submit.pictures, **found.pictures})

    started = with_reference(from_picture(guided, start, 0.6, 1), "plus", 0.7)
    redrawn_ = redrawn(with_reference(from_picture(guided, start, 0.8, 2), "plain", 0.9), mask)
    plain = Submit(job_id=3, attempt=1, request=guided)
    without = from_picture(guided, start, 0.6, 4)
    latents = scene.mixed.draw([started, plain, redrawn_, without], monkeypatch)
    image, inpaint = TWINS[family]
    case = Case(started, ("plus",), [0.7], [[seen]])
    wanted = expected(scene, case, image, image=start, strength=0.6)
    assert (latents[1] - wanted).abs().max().item() <= TOLERANCE
    case = Case(redrawn_, ("plain",), [0.9], [[seen]])
    wanted = expected(scene, case, inpaint, image=start, mask_image=mask, strength=0.8)
    assert (latents[2] - wanted).abs().max().item() <= TOLERANCE
    assert (latents[1] - latents[4]).abs().max() > 1e-3


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    """The tiny model with its adapters in float32."""
    folder = tmp_path_factory.mktemp("exact")
    pipeline = deeper(stable_diffusion())
    pipeline.save_pretrained(folder / "model")
    return Mixed(catalogue_of(folder / "model", "sd"), adapters_in(folder, pipeline.unet, "sd"), "float32")


def test_mates_change_no_bit_of_rows_with_references_or_without(
    exact: Mixed, tiny_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    like = msgspec.structs.replace(tiny_request, num_inference_steps=4)
    submits: list[Submit] = []
    for number, kind in enumerate((*KINDS, None, *KINDS, None)):
        request = msgspec.structs.replace(
            like, seed=number, num_images=1 + number % 2, guidance_scale=(1.0, 6.0)[number % 3 > 0]
        )
        window = (0.0, 0.5) if number % 3 == 1 else (0.0, 1.0)
        given = [] if kind is None else [(reference(kind, 0.3 + number / 10, Use.SUBJECT, *window), photo(seed=number))]
        submits.append(referring(request, number, *given))
    alone = {submit.job_id: exact.draw([submit], monkeypatch)[submit.job_id].clone() for submit in submits}
    together = exact.draw([*reversed(submits)], monkeypatch)
    assert [number for number, latents in alone.items() if not latents.equal(together[number])] == []


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is an optional package")
def test_an_accelerator_draws_rows_with_references_apart(
    exact: Mixed, tiny_request: GenerationRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "ROW_COUNTS", (2, 4))  # each count is compiled
    pipeline = deeper(stable_diffusion())
    pipeline.save_pretrained(tmp_path / "model")
    specs = adapters_in(tmp_path, pipeline.unet, "sd")
    fast = Mixed(catalogue_of(tmp_path / "model", "sd"), specs, "float32", Acceleration(accelerator="openvino"))
    like = msgspec.structs.replace(tiny_request, width=64, height=64)  # the size that was compiled when it was loaded
    plain = Submit(job_id=1, attempt=1, request=like)
    half = referring(like, 2, (reference("plus", 0.9, Use.SUBJECT, 0.0, 0.5), photo()))
    alone = {each.job_id: fast.draw([each], monkeypatch)[each.job_id].clone() for each in (plain, half)}
    together = fast.draw([plain, half, msgspec.structs.replace(half, job_id=3)], monkeypatch)
    assert together[1].equal(alone[1])
    assert together[2].equal(alone[2])
    assert together[3].equal(alone[2])
    right = exact.draw([half], monkeypatch)[2]
    assert (together[2] - right).abs().max() < 1e-3 * right.abs().max()


def test_five_pictures_blend_with_equal_weights(
    exact: Mixed, tiny_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [photo(seed=number) for number in range(5)]
    five = [(reference("plus", 0.8), picture) for picture in pictures]
    drawn = [
        exact.draw([referring(tiny_request, 1, *given)], monkeypatch)[1].clone()
        for given in (five, [*reversed(five)], five[:2])
    ]
    # Attention does not know the order of what it sees.
    assert torch.allclose(drawn[0], drawn[1], atol=1e-4)
    assert not torch.allclose(drawn[0], drawn[2], atol=1e-2)


def test_what_stands_at_the_edge_of_a_wide_picture_is_seen(
    exact: Mixed, tiny_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLIP's own processor would cut it off."""
    wide = photo(120, 40)
    marked = wide.copy()
    marked.paste((255, 0, 0), (0, 0, 24, 40))
    drawn = [
        exact.draw([referring(tiny_request, 1, (reference("plain", 1.0), picture))], monkeypatch)[1].clone()
        for picture in (wide, marked)
    ]
    assert (drawn[0] - drawn[1]).abs().max() > 1e-3
    (finished,) = exact.of(Finished)
    assert [notice.key for notice in finished.notices] == ["notice-references-padded"]
    square = squared(wide)
    assert square.size == (120, 120)
    assert square.crop((0, 40, 120, 80)).tobytes() == wide.tobytes()
    assert square.getpixel((0, 0)) == tuple(np.asarray(wide, float).mean((0, 1)).round().astype(int))


def test_a_window_too_short_for_a_step_holds_one_all_the_same(
    exact: Mixed, tiny_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_step = msgspec.structs.replace(tiny_request, num_inference_steps=1)
    half = referring(one_step, 1, (reference("plain", 1.0, Use.SUBJECT, 0.0, 0.5), photo()))
    latents = exact.draw([half, Submit(job_id=2, attempt=1, request=one_step)], monkeypatch)
    assert not latents[1].equal(latents[2])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"source": FileSource(path="/no/such.safetensors")}, "The file such.safetensors cannot be read"),
        ({"family": "sdxl"}, "made for models of the family sdxl"),
        ({"uses": ("style",)}, "does not list the use face"),
    ],
)
def test_an_adapter_that_does_not_fit_fails_its_jobs_alone(
    exact: Mixed,
    tiny_request: GenerationRequest,
    change: dict[str, Any],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    specs: Any = exact.engine._cache._models
    monkeypatch.setitem(specs, "unfit", msgspec.structs.replace(specs["plain"], key="unfit", **change))
    bad = referring(tiny_request, 1, (reference("unfit", 1.0, Use.FACE), photo()))
    good = referring(tiny_request, 2, (reference("plain", 1.0, Use.FACE), photo()))
    latents = exact.run([bad, good, Submit(job_id=3, attempt=1, request=tiny_request)], monkeypatch)
    (failed,) = exact.of(Failed)
    assert failed.job_id == 1
    assert sentence in failed.detail
    assert latents.keys() == {2, 3}
    assert exact.engine.is_idle


def test_adapter_and_encoder_are_loaded_once_and_dropped_for_others(
    exact: Mixed, tiny_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache: Any = exact.engine._cache
    exact.draw(
        [referring(tiny_request, number, (reference(kind, 0.5), photo())) for number, kind in enumerate(KINDS)],
        monkeypatch,
    )
    encoders = [key for key in cache._ready if key.startswith("image encoder")]
    assert len(encoders) == 1
    assert {*KINDS, "tiny"} < cache._ready.keys()
    before = exact.latents[0].clone()
    monkeypatch.setattr(cache, "_budget", 0)
    cache._make_room(0, ())
    assert not cache._ready
    assert exact.draw([referring(tiny_request, 0, (reference("plain", 0.5), photo()))], monkeypatch)[0].equal(before)


def test_a_reference_sees_the_query_that_a_lora_changed() -> None:
    """Merged into the weights, the LoRA gives the same answer."""
    unet = stable_diffusion().unet.to(torch.float64).eval()
    dice = torch.Generator().manual_seed(1)

    def numbers(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=dice, dtype=torch.float64)

    queries = {f"{name}.to_q": layer.to_q for name, layer in cross_attention(unet).items()}
    pairs = {
        name: Pair(numbers(query.in_features, 8), numbers(8, query.out_features)) for name, query in queries.items()
    }
    seen = {
        name: Attended(numbers(1, 4, layer.to_q.out_features), numbers(1, 4, layer.to_q.out_features), 0.7)
        for name, layer in cross_attention(unet).items()
    }
    given = numbers(1, 4, 8, 8), torch.tensor([500.0]), numbers(1, 77, 32)
    references, loras = ReferenceRows(unet), LoraRows(unet)
    with torch.inference_mode():
        with loras.use([RowLora(pairs)]), references.use([RowReference((seen,))]):
            drawn = unet(*given).sample
        for name, query in queries.items():
            query.weight += (pairs[name].down @ pairs[name].up).T
        with references.use([RowReference((seen,))]):
            merged = unet(*given).sample
        without = unet(*given).sample
    assert (drawn - merged).abs().max() <= TOLERANCE
    assert (drawn - without).abs().max() > 1e-3
