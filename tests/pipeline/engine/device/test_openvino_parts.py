"""With OpenVINO, text encoders and VAEs are compiled too; what their hooks change is still computed by torch."""

import importlib.util
import logging
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest
import torch

from pipeline.engine.device import openvino_network
from pipeline.engine.device.openvino_network import OpenVinoNetwork, copies_bytes, the_core
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.families.clip_text import ClipText, Vector
from pipeline.engine.families.registry import FAMILIES
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.memory import size_of
from pipeline.prompts.chunks import Chunk
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.settings import Acceleration
from tests.pipeline.engine import tiny

pytestmark = pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is an optional package")
OURS: Final = openvino_network.__name__
TOLERANCE: Final = 1e-4
MAKERS: Final = {
    "sd": tiny.stable_diffusion,
    "sdxl": tiny.stable_diffusion_xl,
    "sd3": tiny.stable_diffusion_3,
    "flux": tiny.flux,
}
SINGLE: Final[Callable[[], Any]] = lambda: tiny.stable_diffusion(has_single_answer=True)  # noqa: E731 - as the makers
REQUEST: Final = GenerationRequest(
    prompt="a red apple",
    negative_prompt="",
    num_inference_steps=4,
    guidance_scale=5.0,
    width=64,
    height=64,
    scheduler_name="Euler",
    seed=7,
    num_images=1,
    model_key="tiny",
)


def adapter_of(family: Any, pipeline: Any, accelerator: Any) -> Any:
    placement = choose_placement("cpu", "float32", Acceleration(accelerator=accelerator))
    return FAMILIES[family].adapter(pipeline, placement, LoraFolder(None), None)


def both(family: Any, make: Callable[[], Any]) -> tuple[Any, Any]:
    return adapter_of(family, make(), "none"), adapter_of(family, make(), "openvino")


def near(one: torch.Tensor, other: torch.Tensor) -> bool:
    return bool((one - other).abs().max() <= TOLERANCE * other.abs().max())


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of parts that torch computes."""
    return [record.getMessage() for record in caplog.records if record.name == OURS]


def compiled(part: Any) -> bool:
    assert isinstance(part, OpenVinoNetwork)
    return part.copies > 0


@pytest.mark.parametrize("family", [*MAKERS])
def test_text_is_encoded_as_by_torch(family: Any, caplog: pytest.LogCaptureFixture) -> None:
    plain, quick = both(family, MAKERS[family])
    request = msgspec.structs.replace(REQUEST, scheduler_name="Euler" if family in ("sd", "sdxl") else "Euler Flow")
    with caplog.at_level(logging.WARNING, OURS):
        found = quick.encode_text(request)
    assert not told(caplog)
    right = plain.encode_text(request)
    for one, other in ((found.positive, right.positive), (found.negative, right.negative)):
        if one is not None:
            assert all(near(one.at(1)[name], tensor) for name, tensor in other.at(1).items())
    texts = [quick._text] if family == "sd" else [quick._clip] if family == "flux" else None
    texts = texts or list(quick._texts if family == "sdxl" else quick._clips)
    assert all(compiled(text._unchanged) for text in texts)


@pytest.mark.parametrize("make", [tiny.stable_diffusion, SINGLE], ids=["kl", "tiny"])
def test_pictures_are_decoded_and_encoded_as_by_torch(
    make: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    plain, quick = both("sd", make)
    latents, pixels = torch.randn(1, 4, 12, 8), torch.rand(1, 3, 32, 48)
    with caplog.at_level(logging.WARNING, OURS):
        assert near(quick.decode(latents), plain.decode(latents))
        assert near(quick.encode(pixels), plain.encode(pixels))
        found, right = quick.posterior(pixels), plain.posterior(pixels)
    assert not told(caplog)
    assert near(found.mean, right.mean)
    assert right.deviation is None or near(found.deviation, right.deviation)
    coder = quick._autoencoder
    assert all(compiled(work._one) for work in (coder._decoding, coder._encoding, coder._distributing))


def test_a_picture_is_decoded_the_same_after_others() -> None:
    quick = adapter_of("sd", tiny.stable_diffusion(), "openvino")
    latents = torch.randn(1, 4, 8, 8)
    first = quick.decode(latents)
    quick.decode(torch.randn(1, 4, 12, 8))
    quick.decode(torch.randn(1, 4, 8, 8))
    assert quick.decode(latents).equal(first)


def test_several_at_once_and_tiles_are_left_to_torch() -> None:
    plain, quick = both("sd", tiny.stable_diffusion)
    several, one = torch.randn(2, 4, 8, 8), torch.randn(1, 4, 8, 8)
    assert quick.decode(several).equal(plain.decode(several))
    assert quick.decode(one, "tiled").equal(plain.decode(one, "tiled"))
    assert not compiled(quick._autoencoder._decoding._one)


def test_what_hooks_change_is_encoded_by_torch() -> None:
    pipeline = tiny.stable_diffusion()
    placement = choose_placement("cpu", "float32", Acceleration(accelerator="openvino"))
    text = ClipText(pipeline.tokenizer, pipeline.text_encoder, placement)
    (chunk,) = text.chunks("a red apple").chunks
    plain = text.encode((chunk,), 1)
    # A LoRA adds to the layers by hooks, as this one does.
    handle = pipeline.text_encoder.get_submodule("encoder.layers.0.mlp.fc1").register_forward_hook(
        lambda *found: found[-1] + 0.5
    )
    changed = text.encode((chunk,), 1, (("a LoRA", 1.0),))
    handle.remove()
    assert (changed - plain).abs().max() > TOLERANCE
    first, second = (Chunk((Vector(digest, 0, torch.randn(32)),), (1.0,)) for digest in "ab")
    assert (text.encode((first,), 1) - text.encode((second,), 1)).abs().max() > TOLERANCE


def test_copies_of_weights_count_as_memory() -> None:
    quick = adapter_of("sd", tiny.stable_diffusion(), "openvino")
    vae = quick._autoencoder._vae
    assert copies_bytes(quick.modules) == 0
    for side in (8, 12):
        quick.decode(torch.randn(1, 4, side, 8))
    parameters = sum(weight.numel() * weight.element_size() for weight in vae.parameters())
    assert copies_bytes(quick.modules) == 2 * parameters
    assert 0 < parameters <= size_of([vae])


def test_there_is_one_core_whoever_asks_first() -> None:
    assert the_core() is the_core()
