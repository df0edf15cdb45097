"""LoRAs in a running batch: the time of a switch, and the cost of a forward pass in which every job has another LoRA.

Both are measured on a U-Net with the layers of Stable Diffusion 1.5, but narrower, so that a CPU can run it. Its 128
linear layers in transformer blocks take a LoRA of rank 16. A switch changes from one set of LoRAs to an unseen one. The
report compares it with the usual way: merge the LoRA into the weights, and unmerge it again.

Forward passes are compared by the CPU time of all threads, which other work on the machine does not change. The report
also has the ratio of wall times.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from benchmarks.report import Report

SWITCH_GOAL_MS: Final = 10.0
FORWARD_GOAL: Final = 1.15
PAIRS: Final = 9
ROWS: Final = 4
RANK: Final = 16
LAYERS: Final = 128
WIDTHS: Final = (160, 320, 640, 640)
SIDE: Final = 16
THREADS: Final = 2


def run() -> Report:
    """Measure the pairs."""
    # Threads that spin while they wait would add CPU time.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    import torch  # noqa: PLC0415 - after OMP_WAIT_POLICY is set, as the worker does

    torch.set_num_threads(THREADS)
    with torch.inference_mode():
        turns = _measure()[1:]  # the first turn warms up the caches
    ratios = [turn.mixed.cpu_ms / turn.plain.cpu_ms for turn in turns]
    value = statistics.median(ratios)
    switch = statistics.median(turn.switch.cpu_ms for turn in turns)
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
            "switch_max_ms": max(turn.switch.cpu_ms for turn in turns),
            "merge_over_switch": statistics.median(turn.merge.cpu_ms / turn.switch.cpu_ms for turn in turns),
            "plain_forward_ms": statistics.median(turn.plain.cpu_ms for turn in turns),
            "clock_ratio": statistics.median(turn.mixed.clock_ms / turn.plain.clock_ms for turn in turns),
            "clock_switch_ms": statistics.median(turn.switch.clock_ms for turn in turns),
            "rows": ROWS,
            "rank": RANK,
            "layers": LAYERS,
        },
    )


class Duration(msgspec.Struct, frozen=True):
    """CPU time of all threads and wall time of an action."""

    cpu_ms: float
    clock_ms: float


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of each action."""

    switch: Duration
    merge: Duration
    plain: Duration
    mixed: Duration


def _measure() -> list[Turn]:
    """Measure the turns. The order of the two forward passes alternates."""
    import torch  # noqa: PLC0415 - as above

    from pipeline.engine.loras.rows import LoraRows  # noqa: PLC0415 - as above

    unet, attention = _unet()
    rows = LoraRows(unet)
    latents, text = torch.randn(ROWS, 4, SIDE, SIDE), torch.randn(ROWS, 77, 768)
    timesteps = torch.arange(ROWS) * 100 + 50

    def forward() -> None:
        unet(latents, timesteps, encoder_hidden_states=text, return_dict=False)

    turns: list[Turn] = []
    for number in range(PAIRS + 1):
        pairs = [_random_pairs(attention) for _ in range(ROWS - 1)]
        loras = [None, *[_placed(unet, each) for each in pairs]]
        merge = _timed(lambda each=pairs[0]: _merge_and_unmerge(attention, each))
        switch = _timed(lambda loras=loras: _mixed(rows, loras, lambda: None))
        sides = [forward, lambda loras=loras: _mixed(rows, loras, forward)]
        order = [0, 1] if number % 2 else [1, 0]
        took = {side: _timed(sides[side]) for side in order}
        turns.append(Turn(switch=switch, merge=merge, plain=took[0], mixed=took[1]))
    return turns


def _mixed(rows: Any, loras: Any, forward: Callable[[], None]) -> None:
    with rows.use(loras):
        forward()


def _unet() -> tuple[Any, Mapping[str, Any]]:
    """A U-Net with random weights, and its linear layers with a LoRA, by name."""
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
        raise AssertionError(f"The U-Net has {len(attention)} such layers instead of {LAYERS}.")
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


def _timed(work: Callable[[], object]) -> Duration:
    clock_s, cpu_s = time.perf_counter(), time.process_time()
    work()
    return Duration((time.process_time() - cpu_s) * 1_000, (time.perf_counter() - clock_s) * 1_000)
