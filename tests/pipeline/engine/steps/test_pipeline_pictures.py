"""Whole pipelines that are given pictures: diffusers' own pipelines draw the same."""

import io
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
import pytest
from diffusers.pipelines.flux.pipeline_flux_img2img import FluxImg2ImgPipeline
from diffusers.pipelines.flux.pipeline_flux_inpaint import FluxInpaintPipeline
from diffusers.pipelines.flux.pipeline_flux_kontext import FluxKontextPipeline
from diffusers.pipelines.latent_consistency_models.pipeline_latent_consistency_img2img import (
    LatentConsistencyModelImg2ImgPipeline,
)
from PIL import Image

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.families import pipeline_run
from pipeline.engine.finishing import finishing
from pipeline.engine.finishing.finisher import Finisher
from pipeline.engine.loop import Engine
from pipeline.engine.sampling.latents import generators_for
from pipeline.images.canvas import canvas_of, grown
from pipeline.images.decode import fitted, to_pixels
from pipeline.images.encode import to_picture
from pipeline.images.pasting import Paste
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.inputs import Inpaint, Outpaint
from pipeline.protocol.requests import GenerationRequest, narrowed
from pipeline.protocol.wire.messages import Cancel, Failed, Finished, JobEvent, Progress, Submit
from pipeline.protocol.wire.outputs import Notice
from pipeline.protocol.wire.settings import EngineOptions
from tests.pipeline.engine.given_pictures import editing, from_picture, photo
from tests.pipeline.engine.loaded import model_in
from tests.pipeline.engine.tiny import catalogue_of, flux, latent_consistency, pixart_sigma

BUILDERS = {
    "flux": flux,
    "kontext": lambda: flux(FluxKontextPipeline),
    "consistency": latent_consistency,
    "pixart": pixart_sigma,
}
SIZE = 64, 96


class Whole:
    """An engine with whole pipelines, and the pipelines themselves."""

    def __init__(self, folder: Path) -> None:
        self.events: list[JobEvent] = []
        self.pipelines: dict[str, Any] = {}
        specs: dict[str, ModelSpec] = {}
        for key, build in BUILDERS.items():
            self.pipelines[key] = build()
            self.pipelines[key].set_progress_bar_config(disable=True)
            self.pipelines[key].save_pretrained(folder / key)
            specs[key] = msgspec.structs.replace(catalogue_of(folder / key, "pipeline", "Model's own").default, key=key)
        self.engine = Engine(
            models=MappingProxyType(specs),
            placement=choose_placement("cpu", "float32"),
            emit=self.events.append,
            activity=Activity(),
            options=EngineOptions(preview_interval_s=1e-9, max_running=8),
        )

    def run(self, *submits: Submit) -> None:
        self.events.clear()
        for submit in submits:
            self.engine.submit(submit)
        self.engine.run_until_idle()

    def of(self, kind: type[Any], job_id: int = 1) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind) and event.job_id == job_id]

    def pictures(self, job_id: int = 1) -> list[Any]:
        assert not self.of(Failed, job_id), self.of(Failed, job_id)
        (finished,) = self.of(Finished, job_id)
        return [np.asarray(Image.open(io.BytesIO(image.data)).convert("RGB")) for image in finished.outputs]

    def twin(self, key: str, some_class: Any) -> Any:
        pipeline = self.pipelines[key]
        components: dict[str, Any] = pipeline.components
        more = {"requires_safety_checker": False} if key == "consistency" else {}
        twin = some_class(**components, **more)
        twin.set_progress_bar_config(disable=True)
        return twin


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return Whole(tmp_path_factory.mktemp("models"))


@pytest.fixture(autouse=True)
def keep_no_latents(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole pipeline's job has no latents that `tests/pipeline/engine/conftest.py` could keep."""
    monkeypatch.setattr(finishing, "Finisher", Finisher)


@pytest.fixture
def like(request_: GenerationRequest) -> GenerationRequest:
    width, height = SIZE
    return msgspec.structs.replace(
        request_,
        model_key="flux",
        scheduler_name="Model's own",
        width=width,
        height=height,
        num_images=2,
        num_inference_steps=5,
        guidance_scale=3.0,
    )


def call(twin: Any, submit: Submit, **options: Any) -> list[Any]:
    """The pictures of diffusers' own pipeline; each image draws from its own generator."""
    request = narrowed(submit.request, GenerationRequest)
    answer = twin(
        prompt=request.prompt,
        guidance_scale=request.guidance_scale,
        num_images_per_prompt=request.num_images,
        generator=generators_for(request),
        output_type="pt",
        **{"num_inference_steps": request.num_inference_steps} | options,
    )
    return [np.asarray(to_picture(pixels)) for pixels in answer.images]


def are_alike(drawn: list[Any], expected: list[Any]) -> bool:
    """True when no value differs by more than a rounding: a batch of another size has other last bits."""
    pairs = zip(drawn, expected, strict=True)
    return all(np.abs(one.astype(int) - other.astype(int)).max() <= 1 for one, other in pairs)


def steps(events: list[Progress]) -> list[tuple[int, int]]:
    return [(event.step, event.total_steps) for event in events if not event.preview and event.phase == "running"]


@pytest.mark.parametrize(("strength", "drawn"), [(0.3, 2), (0.4, 2), (1.0, 5)])
def test_a_pipeline_starts_from_a_picture_as_its_twin_does(
    whole: Whole, like: GenerationRequest, strength: float, drawn: int
) -> None:
    picture = photo(150, 200)
    submit = from_picture(like, picture, strength)
    whole.run(submit)
    expected = call(
        whole.twin("flux", FluxImg2ImgPipeline),
        submit,
        image=[fitted(picture, *SIZE)] * 2,
        strength=strength,
        width=SIZE[0],
        height=SIZE[1],
    )
    assert are_alike(whole.pictures(), expected)
    # 5 steps at a strength of 0.3 are 1.5 steps, and a flow model's pipeline draws the half one too.
    assert steps(whole.of(Progress)) == [(step, drawn) for step in range(drawn + 1)]
    drawing = model_in(whole.engine, "flux").any_pipeline
    twin = drawing._callable[FluxImg2ImgPipeline]
    assert twin.transformer is drawing._pipeline.transformer


@pytest.mark.usefixtures("every_preview_is_in_time")
@pytest.mark.parametrize(("strength", "drawn"), [(0.05, 1), (0.5, 2)])
def test_a_pipeline_that_rounds_down_draws_at_least_one_step(
    whole: Whole, like: GenerationRequest, strength: float, drawn: int
) -> None:
    request = msgspec.structs.replace(like, model_key="consistency")
    picture = photo(*SIZE)
    submit = from_picture(request, picture, strength)
    whole.run(submit)
    expected = call(
        whole.twin("consistency", LatentConsistencyModelImg2ImgPipeline),
        submit,
        image=[picture] * 2,
        strength=max(strength, 0.2),
        num_inference_steps=drawn,
    )
    assert are_alike(whole.pictures(), expected)
    assert steps(whole.of(Progress)) == [(step, drawn) for step in range(drawn + 1)]
    assert any(event.preview for event in whole.of(Progress)) or drawn == 1


def test_each_image_can_be_drawn_alone(whole: Whole, like: GenerationRequest) -> None:
    submit = from_picture(like, photo(*SIZE), 0.6)
    whole.run(submit)
    together = whole.pictures()
    assert not are_alike(together[:1], together[1:])
    for index, expected in enumerate(together):
        single = narrowed(submit.request, GenerationRequest).single(index)
        whole.run(msgspec.structs.replace(submit, request=single))
        assert are_alike(whole.pictures(), [expected])


PARTS: Mapping[str, Inpaint] = {
    "cells": Inpaint(cells=(4, 5)),
    "margins": Inpaint(outpaint=Outpaint(left=0.25, right=0.25, top=0.25, bottom=0.25)),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_pipeline_draws_a_part_anew_and_keeps_every_other_pixel(
    whole: Whole, like: GenerationRequest, part: str
) -> None:
    inpaint, picture = PARTS[part], photo(*SIZE)
    submit = from_picture(like, picture, 0.9)
    submit = msgspec.structs.replace(submit, request=msgspec.structs.replace(submit.request, inpaint=inpaint))
    whole.run(submit)
    canvas = canvas_of(picture, None, inpaint, *SIZE)
    overlap = 4 if part == "margins" else 0
    expected = call(
        whole.twin("flux", FluxInpaintPipeline),
        submit,
        image=[canvas.picture] * 2,
        mask_image=Image.fromarray(grown(canvas.mask, overlap)).convert("L"),
        strength=0.9,
        width=SIZE[0],
        height=SIZE[1],
    )
    kept, paste = ~grown(canvas.mask, 8), Paste(picture, None, inpaint, *SIZE)
    for drawn, pixels in zip(whole.pictures(), expected, strict=True):
        assert np.array_equal(drawn[kept], np.asarray(canvas.picture)[kept])
        pasted = paste.onto(to_pixels(Image.fromarray(pixels)))
        assert are_alike([drawn], [np.asarray(to_picture(pasted[0]))])


def test_a_pipeline_draws_a_window_of_a_longer_picture(whole: Whole, like: GenerationRequest) -> None:
    picture = photo(2 * SIZE[0], SIZE[1])
    longer = picture.width + SIZE[0] // 2, SIZE[1]
    inpaint = Inpaint(outpaint=Outpaint(right=0.25), whole=longer)
    submit = from_picture(like, picture, 1.0)
    whole.run(msgspec.structs.replace(submit, request=msgspec.structs.replace(submit.request, inpaint=inpaint)))
    for drawn in whole.pictures():
        assert drawn.shape == (longer[1], longer[0], 3)
        kept = np.s_[:, : picture.width - 8]
        assert np.array_equal(drawn[kept], np.asarray(picture)[kept])
        assert drawn[:, picture.width :].std() > 5


@pytest.mark.parametrize("inpaint", [None, Inpaint(cells=(4,))])
def test_a_pipeline_without_a_twin_refuses_and_the_next_job_runs(
    whole: Whole, like: GenerationRequest, inpaint: Inpaint | None
) -> None:
    submit = from_picture(msgspec.structs.replace(like, model_key="pixart", inpaint=inpaint), photo(*SIZE), 0.5)
    plain = msgspec.structs.replace(like, model_key="pixart")
    whole.run(submit, Submit(job_id=2, attempt=1, request=plain))
    (failed,) = whole.of(Failed)
    assert failed.reason is FailureReason.INVALID_REQUEST
    assert "cannot do this with a picture" in failed.detail
    assert whole.of(Finished, 2)


def test_a_job_from_a_picture_is_cancelled_between_its_steps(whole: Whole, like: GenerationRequest) -> None:
    whole.events.clear()
    whole.engine.submit(from_picture(like, photo(*SIZE), 1.0))
    whole.engine.tick()
    whole.engine.tick()
    whole.engine.cancel(Cancel(job_id=1, attempt=1))
    whole.engine.run_until_idle()
    assert whole.of(Failed)[0].reason is FailureReason.CANCELLED
    assert max(event.step for event in whole.of(Progress)) < 5


def test_an_edit_is_drawn_step_by_step_in_the_pictures_shape(whole: Whole, like: GenerationRequest) -> None:
    picture = photo(200, 210)
    submit = editing(msgspec.structs.replace(like, model_key="kontext"), picture, 0.55)
    whole.run(submit)
    width, height = SIZE
    expected = call(
        whole.pipelines["kontext"],
        submit,
        image=fitted(picture, width, height),
        width=width,
        height=height,
        max_area=width * height,
        _auto_resize=False,
    )
    assert are_alike(whole.pictures(), expected)
    assert steps(whole.of(Progress)) == [(step, 5) for step in range(6)]
    assert not whole.of(Finished)[0].notices


def test_a_size_that_a_pipeline_chooses_itself_is_told(
    whole: Whole, like: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrunk = pipeline_run._pictures_of
    monkeypatch.setattr(pipeline_run, "_pictures_of", lambda *given: shrunk(*given)[..., :32, :48])
    whole.run(editing(msgspec.structs.replace(like, model_key="kontext"), photo(*SIZE), 0.55))
    (finished,) = whole.of(Finished)
    assert finished.notices == (Notice(key="notice-size-own", values={"size": "48x32"}),)


@pytest.mark.parametrize("key", ["flux", "kontext"])
def test_an_edit_beyond_a_pipeline_fails_alone(whole: Whole, like: GenerationRequest, key: str) -> None:
    submit = editing(msgspec.structs.replace(like, model_key=key), photo(*SIZE), 0.55)
    if key == "kontext":
        request = narrowed(submit.request, GenerationRequest)
        submit = msgspec.structs.replace(
            submit, request=msgspec.structs.replace(request, inputs=(*request.inputs, *request.inputs))
        )
    whole.run(submit, Submit(job_id=2, attempt=1, request=msgspec.structs.replace(like, num_images=1)))
    (failed,) = whole.of(Failed)
    assert failed.reason is FailureReason.INVALID_REQUEST
    assert "cannot do this with a picture" in failed.detail
    assert whole.of(Finished, 2)
