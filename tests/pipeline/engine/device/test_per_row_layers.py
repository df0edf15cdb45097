"""A device whose layers answer otherwise in another place: they are found, taken out of the batch, and remembered."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch import nn

from config.catalogue import Catalogue
from pipeline.engine.device.per_row_layers import order_dependent_layers, use, used
from pipeline.engine.steps.batching import shapes
from pipeline.engine.steps.batching.shapes import Shapes
from pipeline.protocol.requests import GenerationRequest
from tests.pipeline.engine.loaded import model_in
from tests.pipeline.engine.test_batching import Shared

GUILTY = ("mid_block.resnets.0.conv1", "up_blocks.2.resnets.1.conv2")
"""The second gets other rows already, until the first one is mended."""


class Wayward(nn.Conv2d):
    """A convolution whose last bits hang on the place in the batch."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name that nn.Conv2d has for it
        places = torch.arange(len(input)).view(-1, 1, 1, 1)
        return super().forward(input) * (1 + places * 1e-6)


def spoil(network: nn.Module) -> None:
    for name in GUILTY:
        network.get_submodule(name).__class__ = Wayward


def network_of(shared: Shared) -> nn.Module:
    return model_in(shared.engine).adapter.network


def drawn(shared: Shared, requests: list[GenerationRequest], *, together: bool) -> list[torch.Tensor]:
    shared.latents.clear()
    for job_id, request in enumerate(requests):
        shared.submit(job_id, request)
        if not together:
            shared.engine.run_until_idle()
    shared.engine.run_until_idle()
    return [shared.latents[job_id] for job_id in range(len(requests))]


def test_a_picture_has_the_same_bits_in_company_all_the_same(
    module_catalogue: Catalogue, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shapes, "ROW_COUNTS", (2, 4))
    shared = Shared(module_catalogue, state_directory=str(tmp_path))
    spoil(network_of(shared))
    shared.watch(monkeypatch)
    # A size that was not tried out yet, while the network was well.
    wanted = [msgspec.structs.replace(request_, width=96, num_inference_steps=3, seed=seed) for seed in (1, 2)]
    alone = drawn(shared, wanted, together=False)
    together = drawn(shared, wanted[::-1], together=True)[::-1]
    assert all(map(torch.equal, alone, together))
    assert {2, 4} == set(shared.forwards)
    known = msgspec.json.decode((tmp_path / "shapes.json").read_bytes(), type=dict[str, Shapes])
    assert {2: list(GUILTY), 4: list(GUILTY)} in [shapes.per_row_layers for shapes in known.values()]

    # The next worker remembers.
    def measure(*_: Any) -> Shapes:
        raise AssertionError("it was known")

    monkeypatch.setattr(shapes, "measure", measure)
    again = Shared(module_catalogue, state_directory=str(tmp_path))
    spoil(network_of(again))
    again.watch(monkeypatch)
    assert all(map(torch.equal, alone, drawn(again, wanted, together=True)))
    assert used(network_of(again)) == GUILTY


def test_a_layer_is_found_by_what_it_alone_does() -> None:
    network = nn.Sequential(Wayward(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(16, 2))
    rows = torch.randn(4, 3, 6, 6)

    def draw(is_reversed: bool) -> torch.Tensor:
        return network(rows.flip(0)).flip(0) if is_reversed else network(rows)

    # The others give other answers too, but to other rows.
    assert order_dependent_layers(network, draw, 4) == ["0"]
    use(network, ["0"])
    assert draw(False).equal(draw(True))
    use(network, [])
    assert not draw(False).equal(draw(True))
    network.compile_me = nn.Identity()
    network.compile_me.compile()
    assert not order_dependent_layers(network, draw, 4), "what is compiled cannot be taken apart"
