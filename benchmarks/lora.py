"""LoRAs on a running batch: how long a switch takes, and what a forward costs in which every job has another one.

Both on a U-Net with the layers of Stable Diffusion 1.5 (128 linear ones in its transformer blocks take a LoRA of rank
16), narrower so that a CPU can run it. The switch is from one set of rows to another that was never seen; beside it
stands what a host without rows does: merge the LoRA into the weights and take it out again.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from benchmarks.report import Report

SWITCH_GOAL_MS: Final = 10.0
FORWARD_GOAL: Final = 1.15
PAIRS: Final = 9
ROWS: Final = 4
RANK: Final = 16
LAYERS: Final = 128
WIDTHS: Final = (160, 320, 640, 640)
SIDE: Final = 32
THREADS: Final = 2


def run() -> Report:
    """Take the pairs."""
    import torch  # noqa: PLC0415 - so that listing benchmarks is quick

    torch.set_num_threads(THREADS)
    with torch.inference_mode():
        switch_ms, ratios, merge_ms, plain_ms = _measure()
    value = statistics.median(ratios)
    switch = statistics.median(switch_ms)
    return Report(
        name="lora",
        goal=f"mixed-LoRA forward / plain forward <= {FORWARD_GOAL}, switch <= {SWITCH_GOAL_MS:g} ms",
        value=value,
        holds=value <= FORWARD_GOAL and switch <= SWITCH_GOAL_MS,
        median=value,
        minimum=min(ratios),
        pairs=PAIRS,
        detail={
            "switch_ms": switch,
            "switch_min_ms": min(switch_ms),
            "merge_and_unmerge_ms": statistics.median(merge_ms),
            "merge_over_switch": statistics.median(merge / own for merge, own in zip(merge_ms, switch_ms, strict=True)),
            "plain_forward_ms": statistics.median(plain_ms),
            "rows": ROWS,
            "rank": RANK,
            "layers": LAYERS,
        },
    )


def _measure() -> tuple[list[float], list[float], list[float], list[float]]:
    """Switches, mixed over plain forwards, merges, plain forwards; one of each a turn."""
    import torch  # noqa: PLC0415 - as above

    from pipeline.engine.loras.rows import LoraRows  # noqa: PLC0415 - as above

    unet, attention = _unet()
    rows = LoraRows(unet)
    latents, text = torch.randn(ROWS, 4, SIDE, SIDE), torch.randn(ROWS, 77, 768)
    timesteps = torch.arange(ROWS) * 100 + 50

    def forward() -> None:
        unet(latents, timesteps, encoder_hidden_states=text, return_dict=False)

    switch_ms: list[float] = []
    ratios: list[float] = []
    merge_ms: list[float] = []
    plain_ms: list[float] = []
    for turn in range(PAIRS + 1):
        pairs = [_random_pairs(attention) for _ in range(ROWS - 1)]
        loras = [None, *[_placed(unet, each) for each in pairs]]
        merge_ms.append(_milliseconds(lambda each=pairs[0]: _merge_and_unmerge(attention, each)))
        with rows.use([*loras[1:], None]):
            pass  # its hooks are there
        switch_ms.append(_milliseconds(lambda loras=loras: rows.use(loras).__enter__()))
        sides = [forward, lambda loras=loras: _mixed(rows, loras, forward)]
        took = [_milliseconds(side) for side in (sides if turn % 2 else sides[::-1])]
        plain, mixed = took if turn % 2 else took[::-1]
        plain_ms.append(plain)
        ratios.append(mixed / plain)
    # The first of each warms caches up.
    return switch_ms[1:], ratios[1:], merge_ms[1:], plain_ms[1:]


def _mixed(rows: Any, loras: Any, forward: Callable[[], None]) -> None:
    with rows.use(loras):
        forward()


def _unet() -> tuple[Any, Mapping[str, Any]]:
    """A U-Net of random weights, and the linear layers that a LoRA is about, by name."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel  # noqa: PLC0415 - as above
    from torch import nn  # noqa: PLC0415 - as above

    unet: Any = UNet2DConditionModel(
        block_out_channels=WIDTHS, cross_attention_dim=768, attention_head_dim=8, layers_per_block=2
    )
    attention = {
        name: module
        for name, module in unet.named_modules()
        if isinstance(module, nn.Linear) and (".attn1." in name or ".attn2." in name)
    }
    if len(attention) != LAYERS:
        raise AssertionError(f"{len(attention)} layers, and {LAYERS} were expected.")
    return unet.eval().requires_grad_(False), attention


def _random_pairs(attention: Mapping[str, Any]) -> dict[str, Any]:
    import torch  # noqa: PLC0415 - as above

    from pipeline.engine.loras.files import Pair  # noqa: PLC0415 - as above

    return {
        name: Pair(torch.randn(RANK, module.in_features) / 100, torch.randn(module.out_features, RANK) / 100)
        for name, module in attention.items()
    }


def _placed(unet: Any, pairs: Any) -> Any:
    import torch  # noqa: PLC0415 - as above

    from pipeline.engine.loras.rows import combined  # noqa: PLC0415 - as above

    return combined([(pairs, 1.0)], unet, device=torch.device("cpu"), dtype=torch.float32)


def _merge_and_unmerge(attention: Mapping[str, Any], pairs: Mapping[str, Any]) -> None:
    for sign in (1, -1):
        for name, module in attention.items():
            module.weight += sign * (pairs[name].up @ pairs[name].down)


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1_000
