"""LoRAs on rows against merged weights, in float64; and that no row's numbers hang on its mates, bit by bit."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from pipeline.engine.loras.rows import LoraRows, RowLora, combined, fitted
from tests.lora_files import attention, every_module, merge, read_lora, write_lora

CPU = torch.device("cpu")
POCKET = Path(__file__).parents[4] / "models" / "pocket" / "unet"
TOLERANCE = 1e-8


@pytest.fixture(scope="module")
def unet() -> Any:
    with torch.inference_mode(mode=False):
        model: Any = UNet2DConditionModel.from_pretrained(POCKET, dtype=torch.float64)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def half_unet(unet: Any) -> Any:
    """In float32, as on the CPU."""
    return copy.deepcopy(unet).float()


def inputs(count: int, dtype: torch.dtype, *, size: int = 8) -> tuple[torch.Tensor, ...]:
    """Latents, timesteps and text for so many rows."""
    generator = torch.Generator().manual_seed(5)
    latents = torch.randn(count, 4, size, size, generator=generator, dtype=dtype)
    timesteps = torch.arange(count) * 90 + 100
    return latents, timesteps, torch.randn(count, 77, 192, generator=generator, dtype=dtype)


@torch.inference_mode()
def forward(model: Any, given: Sequence[torch.Tensor]) -> torch.Tensor:
    latents, timesteps, text = given
    return model(latents, timesteps, encoder_hidden_states=text, return_dict=False)[0]


def loaded(path: Path, model: Any, scale: float = 1.0) -> RowLora:
    pairs = fitted(read_lora(path, model.config)["unet"], model)
    lora = combined([(pairs, scale)], model, device=CPU, dtype=next(model.parameters()).dtype)
    assert lora is not None
    return lora


@pytest.mark.parametrize("way", ["kohya", "peft", "diffusers"])
def test_a_lora_on_all_rows_equals_merged_weights(unet: Any, tmp_path: Path, way: str) -> None:
    path = tmp_path / "fur.safetensors"
    deltas = write_lora(path, {"unet": unet}, {"unet": every_module(unet)}, way=way)
    lora, given = loaded(path, unet, 0.75), inputs(2, torch.float64)
    merged = copy.deepcopy(unet)
    merge(merged, deltas["unet"], 0.75)
    expected, plain = forward(merged, given), forward(unet, given)
    rows = LoraRows(unet)
    with rows.use([lora, lora]):
        assert (forward(unet, given) - expected).abs().max().item() <= TOLERANCE
    with rows.use([None, lora]):
        mixed = forward(unet, given)
    assert (mixed[0] - plain[0]).abs().max().item() <= TOLERANCE
    assert (mixed[1] - expected[1]).abs().max().item() <= TOLERANCE
    assert (expected - plain).abs().max().item() > 1e-3
    assert forward(unet, given).equal(plain), "what was added is gone with the rows"


def test_several_with_weights_add_up(unet: Any, tmp_path: Path) -> None:
    merged, parts = copy.deepcopy(unet), []
    for seed, (rank, scale) in enumerate([(4, 1.0), (16, -0.5), (6, 0.0)]):
        path = tmp_path / f"{seed}.safetensors"
        names = {"unet": every_module(unet)[seed::3] + attention(unet)[:6]}
        deltas = write_lora(path, {"unet": unet}, names, rank=rank, seed=seed)
        parts.append((fitted(read_lora(path, unet.config)["unet"], unet), scale))
        merge(merged, deltas["unet"], scale)
    lora, given = combined(parts, unet, device=CPU, dtype=torch.float64), inputs(1, torch.float64)
    with LoraRows(unet).use([lora]):
        assert (forward(unet, given) - forward(merged, given)).abs().max().item() <= TOLERANCE
    assert combined(parts[2:], unet, device=CPU, dtype=torch.float64) is None


@pytest.mark.parametrize("count", [2, 4, 8])
def test_a_row_is_bit_equal_whoever_its_mates_are(half_unet: Any, tmp_path: Path, count: int) -> None:
    given = inputs(count, torch.float32)
    others: list[RowLora | None] = [None]
    for rank in (4, 24, 64):
        path = tmp_path / f"{rank}.safetensors"
        names = every_module(half_unet)[::2] if rank == 24 else attention(half_unet)[::5]
        write_lora(path, {"unet": half_unet}, {"unet": names}, rank=rank, seed=rank)
        others.append(loaded(path, half_unet))
    rows = LoraRows(half_unet)
    for own in others[:3]:
        seen: list[torch.Tensor] = []
        for turn in range(3):
            # Row 0 is ours; the others change, and so does what they draw.
            mates = [[None], [own], others[::-1]][turn]
            filled = [own, *[mates[index % len(mates)] for index in range(count - 1)]]
            mixed = tuple(torch.cat([part[:1], part[1:].roll(turn, 0)]) for part in given)
            with rows.use(filled):
                seen.append(forward(half_unet, mixed)[0])
        assert all(torch.equal(answer, seen[0]) for answer in seen[1:])


def test_weights_are_never_touched_and_stacks_are_kept_for_turns(half_unet: Any, tmp_path: Path) -> None:
    path = tmp_path / "fur.safetensors"
    write_lora(path, {"unet": half_unet}, {"unet": attention(half_unet)})
    lora, rows, given = loaded(path, half_unet), LoraRows(half_unet), inputs(2, torch.float32)
    before = {name: weight.clone() for name, weight in half_unet.state_dict().items()}
    answers = []
    for filled in ([lora, None], [None, lora], [lora, None]):
        with rows.use(filled):
            answers.append(forward(half_unet, given))
    assert torch.equal(answers[0], answers[2])
    assert not torch.equal(answers[0], answers[1])
    assert len(rows._stacks) == 2
    assert all(torch.equal(weight, before[name]) for name, weight in half_unet.state_dict().items())
