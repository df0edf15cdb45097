"""The benchmark of families sees what does not work."""

from types import MappingProxyType

import pytest

from benchmarks.families import grids, packed
from benchmarks.families.drawing import judge
from pipeline.engine.families import pipeline_classes
from pipeline.engine.families.pipeline_run import PipelineRun


def test_a_family_that_works_is_told_to_work() -> None:
    verdict = judge(packed.flux_schnell)
    assert (verdict.failures, verdict.silent, verdict.told) == ([], [], ["cfg", "negative"])


def test_guidance_at_cfg_1_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_classes, "_KNOWN", MappingProxyType({}))
    assert judge(grids.z_image).failures == ["CFG 1 takes 6 rows for 3 steps"]


def test_an_option_without_effect_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    own = PipelineRun.__init__

    def deaf(run: PipelineRun, pipeline: object, arguments: dict[str, object], *rest: object) -> None:
        """A run whose pipeline never gets the negative prompt."""
        own(run, pipeline, {name: value for name, value in arguments.items() if name != "negative_prompt"}, *rest)  # pyright: ignore[reportArgumentType] - whatever came

    monkeypatch.setattr(PipelineRun, "__init__", deaf)
    verdict = judge(packed.ovis)
    assert (verdict.failures, verdict.silent) == ([], ["negative"])


def test_a_model_that_is_not_offered_is_a_failure() -> None:
    verdict = judge(_Empty)
    assert len(verdict.failures) == 1
    assert "There is no folder" in verdict.failures[0]


class _Empty:
    def save_pretrained(self, folder: object, **options: object) -> None:
        """Save nothing."""
