"""Control pictures in one running batch: bits that do not depend on the others, work that is shared, and own fates."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from pipeline.engine.control.nets import ControlNet
from pipeline.engine.models.networks import control_network_of
from pipeline.engine.starting import keys_in_use
from pipeline.engine.steps.batching import shapes
from pipeline.protocol.catalogue.networks import ControlSpec, FolderSource
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest, Upscale, narrowed
from pipeline.protocol.wire.messages import Failed, Finished, Submit
from pipeline.protocol.wire.settings import Acceleration
from tests.pipeline.engine.control_nets import adapter, control_net, job, spec_of, steered, union_net
from tests.pipeline.engine.given_pictures import blot, from_picture, photo, redrawn
from tests.pipeline.engine.test_batching import Shared
from tests.pipeline.engine.tiny import catalogue_of, stable_diffusion_xl

STEPS = 4


class House:
    """A tiny model, its control nets, and an engine in float32."""

    def __init__(self, folder: Path, **options: Any) -> None:
        pipeline = stable_diffusion_xl()
        pipeline.save_pretrained(folder / "model")
        lines, unet = control_net(pipeline.unet, 1), pipeline.unet
        xl = {"family": "sdxl"}
        self.specs: dict[str, ControlSpec] = {
            "lines": spec_of(lines, folder, "lines", **xl),
            "pooled": spec_of(control_net(unet, 2, global_pool_conditions=True), folder, "pooled", **xl),
            "union": spec_of(union_net(unet, 3), folder, "union", kind="controlnet-union", union_type=1, **xl),
            "adapter": spec_of(
                adapter("full_adapter_xl", 4, downscale_factor=8), folder, "adapter", kind="t2i-adapter", **xl
            ),
            "absent": msgspec.structs.replace(
                spec_of(lines, folder, "absent", **xl), source=FolderSource(path="/none")
            ),
        }
        self.shared = Shared(catalogue_of(folder / "model", "sdxl", "Euler"), others=self.specs, **options)

    def run(self, *submits: Submit) -> dict[int, torch.Tensor]:
        """Final latents of jobs that begin together."""
        self.shared.latents.clear()
        for submit in submits:
            self.shared.engine.submit(submit)
        self.shared.engine.run_until_idle()
        return dict(self.shared.latents)


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("house"))


@pytest.fixture
def house(open_house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    open_house.shared.watch(monkeypatch)
    return open_house


@pytest.fixture
def like(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(
        request_, model_key="tiny", width=64, height=64, num_inference_steps=STEPS, scheduler_name="Euler"
    )


def mates(like: GenerationRequest) -> list[Submit]:
    """Jobs with and without control, of one bucket."""
    guided = {"guidance_scale": 6.0, "negative_prompt": "red, rain"}
    pictures = [photo(64, 64, seed) for seed in range(8)]
    started = from_picture(msgspec.structs.replace(like, seed=7, **guided), pictures[0], 0.8, 7)
    return [
        job(like, 1, seed=1),
        job(like, 2, seed=2, num_images=3, **guided),
        steered(job(like, 3, seed=3, num_images=2, **guided), {"lines": pictures[1]}, strength=0.7),
        steered(job(like, 4, seed=4, guidance_scale=1.0), {"lines": pictures[2]}, end=0.5),
        steered(job(like, 5, seed=5, **guided), {"lines": pictures[3], "union": pictures[4]}, is_guess=[False, True]),
        steered(job(like, 6, seed=6, **guided), {"union": pictures[5], "lines": pictures[6], "pooled": pictures[7]}),
        steered(redrawn(started, blot(64, 64)), {"lines": pictures[0]}),
        steered(job(like, 8, seed=8, num_images=2, **guided), {"adapter": pictures[1]}, strength=0.6),
    ]


def test_mates_change_no_bit(house: House, like: GenerationRequest) -> None:
    dice = random.Random(1)
    wanted = mates(like)
    alone = {submit.job_id: house.run(submit)[submit.job_id] for submit in wanted}
    for count in (2, 5, 8):
        some = dice.sample(wanted, count)
        together = house.run(*some)
        assert {name for name, found in together.items() if not found.equal(alone[name])} == set()
        assert len(together) == count
    plain = house.run(job(like, 4, seed=4, guidance_scale=1.0))[4]
    assert not plain.equal(alone[4])


def test_a_net_is_in_use_until_its_job_ends(house: House, like: GenerationRequest) -> None:
    """The cache moves what is not in use, which would pull the weights away under a step."""
    engine: Any = house.shared.engine
    network = control_network_of(house.specs["lines"]).key
    engine.submit(steered(job(like, 1, num_inference_steps=STEPS), {"lines": photo(64, 64)}))
    steps: list[int] = []
    while not steps or steps[-1] < STEPS - 1:
        engine.tick()
        steps += [found.steps_done for found in engine._running.values() if found.steps_done > 0]
        assert network in keys_in_use(engine._jobs)
    engine.run_until_idle()
    assert keys_in_use(engine._jobs) == set()


def test_an_image_of_several_can_be_drawn_alone(house: House, like: GenerationRequest) -> None:
    three = steered(job(like, 1, seed=1, num_images=3), {"union": photo(64, 64), "adapter": photo(64, 64, 1)})
    found = house.run(three)[1]
    for index in range(3):
        single = msgspec.structs.replace(three, request=narrowed(three.request, GenerationRequest).single(index))
        assert house.run(single)[1][0].equal(found[index])


def test_rows_of_a_net_share_its_forwards_and_the_hint_is_made_once(
    house: House, like: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = [
        steered(job(like, name, seed=name, guidance_scale=1.0), {"lines": photo(64, 64, name)}) for name in (1, 2, 3)
    ]
    house.run(*three)
    forwards: list[int] = []
    hints: list[object] = []
    predict: Callable[..., torch.Tensor] = ControlNet.predict
    hint: Callable[..., torch.Tensor] = ControlNet.hint

    def counted(net: ControlNet, latents: torch.Tensor, *rest: Any) -> torch.Tensor:
        forwards.append(len(latents))
        return predict(net, latents, *rest)

    def noted(net: ControlNet, pixels: torch.Tensor) -> torch.Tensor:
        hints.append(pixels)
        return hint(net, pixels)

    monkeypatch.setattr(ControlNet, "predict", counted)
    monkeypatch.setattr(ControlNet, "hint", noted)
    house.run(*three)
    assert len(hints) == 3
    assert len(forwards) < 3 * STEPS
    assert max(forwards) >= 3


def test_the_second_pass_follows_its_picture_too(
    house: House, like: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "ROW_COUNTS", (2,))
    upscaled = msgspec.structs.replace(like, upscale=Upscale(scale=2, strength=0.5))
    plain = house.run(job(upscaled))[1]
    steered_ = house.run(steered(job(upscaled), {"lines": photo(64, 64)}, strength=1e-9))[1]
    followed = house.run(steered(job(upscaled), {"lines": photo(64, 64)}))[1]
    assert plain.shape == followed.shape == (1, 4, 32, 32)
    assert torch.allclose(plain, steered_, atol=1e-4)
    assert not torch.allclose(plain, followed, atol=1e-2)


def test_a_net_that_is_missing_or_does_not_fit_fails_its_job_alone(house: House, like: GenerationRequest) -> None:
    absent = steered(job(like, 1), {"absent": photo(64, 64)})
    unknown = steered(job(like, 2), {"unheard": photo(64, 64)})
    model = steered(job(like, 3), {"tiny": photo(64, 64)})
    assert set(house.run(absent, unknown, model, job(like, 4))) == {4}
    reasons = {name: house.shared.of(Failed, name)[0] for name in (1, 2, 3)}
    others = [FailureReason.INVALID_REQUEST] * 2
    assert [each.reason for each in reasons.values()] == [FailureReason.MODEL_UNAVAILABLE, *others]
    assert "There is no file /none/config.json" in reasons[1].detail
    assert "has no control net 'unheard'" in reasons[2].detail
    assert "has no control net 'tiny'" in reasons[3].detail
    assert house.shared.of(Finished, 4)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), FailureReason.INTERNAL),
        (torch.OutOfMemoryError("CUDA out of memory"), FailureReason.OUT_OF_MEMORY),
        (None, FailureReason.BROKEN_IMAGE),
    ],
)
def test_a_net_that_fails_in_a_step_fails_its_jobs_alone(
    house: House,
    like: GenerationRequest,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None,
    reason: FailureReason,
) -> None:
    beside = [job(like, 1, seed=1), steered(job(like, 2, seed=2), {"union": photo(64, 64)})]
    wanted = house.run(*beside)
    house.run(steered(job(like, 3, seed=3), {"lines": photo(64, 64)}))
    house.shared.events.clear()
    predict: Callable[..., torch.Tensor] = ControlNet.predict

    def failing(net: ControlNet, *rest: Any) -> torch.Tensor:
        if net.key != "lines":
            return predict(net, *rest)
        if error is not None:
            raise error
        return predict(net, *rest) * float("nan")

    monkeypatch.setattr(ControlNet, "predict", failing)
    found = house.run(*beside, steered(job(like, 3, seed=3), {"lines": photo(64, 64)}))
    assert [each.reason for each in house.shared.of(Failed, 3)] == [reason]
    assert set(found) == {1, 2}
    assert all(found[name].equal(wanted[name]) for name in found)


def test_a_full_device_makes_the_forwards_of_a_net_smaller(
    house: House, like: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All row counts are used at this size, whatever their bits are here.
    monkeypatch.setattr(shapes, "_pinned", lambda _, known: known)
    monkeypatch.setattr(shapes, "ROW_COUNTS", (2, 4))
    wide = msgspec.structs.replace(like, width=96)
    many = [steered(job(wide, name, seed=name), {"lines": photo(96, 64, name)}) for name in (1, 2, 3, 4)]
    wanted = house.run(*many)
    predict: Callable[..., torch.Tensor] = ControlNet.predict
    counts: list[int] = []

    def full(net: ControlNet, latents: torch.Tensor, *rest: Any) -> torch.Tensor:
        if len(latents) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        counts.append(len(latents))
        return predict(net, latents, *rest)

    monkeypatch.setattr(ControlNet, "predict", full)
    found = house.run(*many)
    assert set(counts) == {2}
    assert all(torch.allclose(found[name], wanted[name], atol=1e-4) for name in wanted)


@pytest.mark.slow
def test_compiled_forwards_with_residuals_have_a_bucket_of_their_own(
    tmp_path: Path, like: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setattr(shapes, "ROW_COUNTS", (2, 4))
    house = House(tmp_path, acceleration=Acceleration(accelerator="openvino"))
    house.shared.watch(monkeypatch)
    wanted = [
        job(like, 1, seed=1),
        steered(job(like, 2, seed=2), {"lines": photo(64, 64)}, end=0.5),
        job(like, 3, seed=3),
    ]
    alone = {submit.job_id: house.run(submit)[submit.job_id] for submit in wanted}
    together = house.run(*wanted)
    assert [name for name, found in together.items() if not found.equal(alone[name])] == []
