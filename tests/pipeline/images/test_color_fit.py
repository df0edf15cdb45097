"""Drawn colors go on from the kept ones, and what differs in content is left alone."""

import torch

from pipeline.images.color_fit import color_fitted

SIDE = 96


def scene() -> torch.Tensor:
    """Pixels [1, 3, 96, 96] that grow smoothly from the left to the right and from the top down."""
    ramp = torch.linspace(0.3, 0.6, SIDE)
    return torch.stack([ramp.expand(SIDE, SIDE), ramp[:, None].expand(SIDE, SIDE), torch.full((SIDE, SIDE), 0.5)])[None]


def frame() -> torch.Tensor:
    """The opacity [96, 96] of a zoom: 1 around the middle, which is kept."""
    opacity = torch.ones(SIDE, SIDE)
    opacity[20:76, 20:76] = 0
    return opacity


def test_a_shift_of_color_is_taken_back_as_far_as_the_picture_goes() -> None:
    shift = torch.tensor([0.05, -0.04, 0.08]).view(1, 3, 1, 1)
    fitted = color_fitted(scene() + shift, scene(), frame())
    assert (fitted - scene()).abs().max() < 1e-3


def test_a_shift_that_differs_from_side_to_side_leaves_no_edge() -> None:
    drawn = scene() + torch.linspace(-0.08, 0.08, SIDE)
    fitted, border = color_fitted(drawn, scene(), frame()), slice(16, 20)
    before = (drawn - scene())[..., 20:76, border].abs().mean()
    assert (fitted - scene())[..., 20:76, border].abs().mean() < before / 4


def test_an_object_at_the_border_is_not_spread() -> None:
    drawn = scene()
    drawn[..., 60:90] = torch.tensor([0.9, 0.1, 0.1]).view(1, 3, 1, 1)
    fitted = color_fitted(drawn, scene(), frame())
    assert (fitted - drawn).abs().max() < 0.02


def test_the_little_that_goes_on_between_other_contents_moves_little() -> None:
    drawn = torch.zeros(1, 3, SIDE, SIDE)
    drawn[..., 40:42] = scene()[..., 40:42] + 0.1
    fitted = color_fitted(drawn, scene(), frame())
    assert (fitted - drawn).abs().max() < 0.05


def test_nothing_and_everything_anew_is_as_it_was_drawn() -> None:
    drawn = torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(1))
    for value in (0.0, 1.0):
        assert color_fitted(drawn, torch.zeros_like(drawn), torch.full((40, 60), value)) is drawn


def test_colors_stay_in_their_range() -> None:
    fitted = color_fitted(torch.ones(1, 3, SIDE, SIDE), torch.full((1, 3, SIDE, SIDE), 0.9), frame())
    assert fitted.max() <= 1
    assert color_fitted(torch.zeros(1, 3, SIDE, SIDE), torch.full((1, 3, SIDE, SIDE), -0.1), frame()).min() >= 0
