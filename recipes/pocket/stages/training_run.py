"""The training loop of a stage: checkpoints, averaged weights, learning rates and a log."""

import json
import math
import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from diffusers.training_utils import EMAModel
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import nn

from recipes.pocket.drawing.painter import Painter
from recipes.pocket.examples.batches import Batch, BatchPlan, batches

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Loss of pictures [batch, 3, 64, 64] in [-1, 1] and token ids [batch, 77] or [batch, captions, 77]."""

CHECKPOINT_EVERY_S: Final = 600.0
_LOG_EVERY: Final = 50
_WARM_UP: Final = 200
"""Steps of rising learning rate; a tenth of all steps at most."""


@dataclass(frozen=True, kw_only=True)
class StageOptions:
    """Where and how a stage runs.

    Attributes:
        folder: folder of the atlas, checkpoints, logs and samples.
        device: device of the networks.
        steps: number of batches.
        batch: scenes per batch.
        seed: seed of weights, scenes and noise.
        workers: processes that compose scenes.
        record: whether to record a step as a CUDA graph on a GPU.
    """

    folder: Path
    device: torch.device
    steps: int
    batch: int
    seed: int = 0
    workers: int = 0
    record: bool = True

    @property
    def records(self) -> bool:
        """Whether steps are recorded as a CUDA graph."""
        return self.record and self.device.type == "cuda"

    @contextmanager
    def precision(self) -> Generator[None]:
        """Compute in bfloat16 on a CPU with AVX-512 BF16, in TensorFloat32 on a GPU, else in float32.

        A CPU without AVX-512 BF16 takes twenty times as long in bfloat16 as in float32. On a GPU the time of a step
        this small depends on the number of kernels, and casting adds kernels.
        """
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
        has_it = self.device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001 - torch has no public name for it
        with torch.autocast("cpu", torch.bfloat16, enabled=has_it):
            yield


class TrainingRun:
    """The networks in training, their optimizer, and the average of their weights."""

    def __init__(
        self, name: str, options: StageOptions, modules: Mapping[str, nn.Module], rates: Mapping[str, float]
    ) -> None:
        """Begin, or go on from the last checkpoint.

        Args:
            name: name of the stage and of its files.
            options: see StageOptions.
            modules: the networks, on any device.
            rates: peak learning rate of each network.
        """
        self.name, self.options, self.modules = name, options, modules
        for module in modules.values():
            module.to(options.device).train()
        groups: list[dict[str, Any]] = [
            {"params": list(modules[key].parameters()), "lr": torch.tensor(rate, device=options.device), "peak": rate}
            for key, rate in rates.items()
        ]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True, capturable=options.records)
        self.parameters = [parameter for group in groups for parameter in group["params"]]
        self.average = EMAModel(
            self.parameters, decay=0.9995, use_ema_warmup=True, power=0.75, foreach=options.device.type == "cuda"
        )
        self.painter = Painter(options.folder / "atlas.npz", options.device)
        self.step = 0
        self._resume()

    @property
    def _file(self) -> Path:
        return self.options.folder / f"{self.name}.checkpoint.pt"

    def _resume(self) -> None:
        if not self._file.exists():
            return
        state = torch.load(self._file, map_location=self.options.device, weights_only=True)
        for key, module in self.modules.items():
            module.load_state_dict(state["modules"][key])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.load_state_dict(state["average"])
        self.average.to(self.options.device)
        self.step = state["step"]

    def save(self) -> None:
        """Write a checkpoint; replace the previous one in a single step."""
        state = {
            "modules": {key: module.state_dict() for key, module in self.modules.items()},
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict(),
            "step": self.step,
        }
        fresh = self._file.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self._file)

    @contextmanager
    def averaged(self) -> Generator[None]:
        """Give the networks their averaged weights, in evaluation mode, inside the `with` block."""
        self.average.store(self.parameters)
        self.average.copy_to(self.parameters)
        for module in self.modules.values():
            module.eval()
        try:
            yield
        finally:
            self.average.restore(self.parameters)
            for module in self.modules.values():
                module.train()

    def train(
        self,
        plan: BatchPlan,
        tokenizer: Any,
        loss_of: Loss,
        *,
        sample: Callable[[int], None] | None = None,
        sample_every: int = 0,
    ) -> None:
        """Train up to `options.steps`; write checkpoints during the run and at its end.

        Args:
            plan: content of the batches.
            tokenizer: a CLIP tokenizer.
            loss_of: see Loss.
            sample: called with the step's number while the networks have their averaged weights.
            sample_every: steps between its calls.
        """
        learn = GraphedStep(self, loss_of) if self.options.records else partial(self.learn, loss_of)
        saved = began = time.monotonic()
        first = self.step
        feed = batches(
            plan, tokenizer, seed=self.options.seed, first=first, last=self.options.steps, workers=self.options.workers
        )
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(*columns, TextColumn("loss {task.fields[loss]}")) as progress:
            bar = progress.add_task(self.name, total=self.options.steps, completed=first, loss="-")
            mean = torch.zeros((), device=self.options.device)
            for batch in feed:
                mean += self._step(learn, batch)
                if self.step % _LOG_EVERY == 0:
                    loss = float(mean) / _LOG_EVERY
                    mean.zero_()
                    rate = _LOG_EVERY * self.options.batch / (time.monotonic() - began)
                    began = time.monotonic()
                    self._log(loss=loss, samples_per_s=round(rate, 1))
                    progress.update(bar, completed=self.step, loss=f"{loss:.4f}, {rate:.0f} samples/s")
                if sample and sample_every and self.step % sample_every == 0:
                    with self.averaged(), torch.no_grad():
                        sample(self.step)
                if time.monotonic() - saved > CHECKPOINT_EVERY_S:
                    self.save()
                    saved = time.monotonic()
        self.save()

    def _step(self, learn: Loss, batch: Batch) -> torch.Tensor:
        """Take one step and return the loss. The learning rate is a cosine after a short rise."""
        part = min(1.0, self.step / self.options.steps)
        rise = min(1.0, (self.step + 1) / min(_WARM_UP, self.options.steps / 10))
        factor = rise * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * part)))
        for group in self.optimizer.param_groups:
            group["lr"].fill_(group["peak"] * factor)
        torch.manual_seed(self.options.seed + self.step)
        batch = batch.to(self.options.device)
        loss = learn(self.painter.draw(batch.layout), batch.tokens)
        self.average.step(self.parameters)
        self.step += 1
        return loss

    def learn(self, loss_of: Loss, pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Update the weights with one batch; return the detached loss."""
        self.optimizer.zero_grad(set_to_none=True)
        with self.options.precision():
            loss = loss_of(pictures, tokens)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        return loss.detach()

    def _log(self, **facts: float) -> None:
        line = json.dumps({"step": self.step, "samples": self.step * self.options.batch, **facts})
        with (self.options.folder / f"{self.name}.log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + os.linesep)


class GraphedStep:
    """A training step as one CUDA graph, which spares the launches of thousands of small kernels."""

    _WARM_UP_STEPS: Final = 3
    """Steps before the capture. Libraries choose their kernels in them, and the optimizer makes its state."""

    def __init__(self, run: TrainingRun, loss_of: Loss) -> None:
        self._run, self._loss_of = run, loss_of
        self._inputs: tuple[torch.Tensor, torch.Tensor] | None = None
        self._graph = torch.cuda.CUDAGraph()
        self._loss = torch.zeros(())
        self._steps = 0

    def __call__(self, pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Update the weights with one batch; return the loss. All batches must have the same shape."""
        if self._inputs is None:
            self._inputs = pictures.clone(), tokens.clone()
        for kept, new in zip(self._inputs, (pictures, tokens), strict=True):
            kept.copy_(new)
        if self._steps < self._WARM_UP_STEPS:
            self._steps += 1
            return self._warm_up()
        if self._steps == self._WARM_UP_STEPS:
            self._steps += 1
            # Capturing runs no kernel: the replay below takes this step.
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._loss = self._run.learn(self._loss_of, *self._inputs)
        self._graph.replay()
        return self._loss

    def _warm_up(self) -> torch.Tensor:
        """Take a plain step on a separate stream, as torch requires before a capture."""
        assert self._inputs is not None  # noqa: S101 - for the type checker
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            loss = self._run.learn(self._loss_of, *self._inputs)
        torch.cuda.current_stream().wait_stream(stream)
        return loss
