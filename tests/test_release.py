"""What a release needs agrees with the repository; the workflow itself runs where the tag is pushed."""

import importlib.util
import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.test_images import IMAGES, PROJECT, STAGES

ROOT: Final = Path(__file__).parents[1]
WORKFLOW: Final[dict[str, Any]] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
CHANGELOG: Final = (
    "# Changelog\n\n## [0.2.0] - unreleased\n\nSoon.\n\n## [0.1.1] - 2026-12-01\n\nLess.\n\n### More\n\n- It.\n"
)


def notes() -> Any:
    spec = importlib.util.spec_from_file_location("notes", ROOT / ".ci" / "notes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def project(version: str) -> str:
    return f'[project]\nversion = "{version}"\n'


def commands_of(job: str) -> str:
    return "\n".join(step.get("run", "") for step in WORKFLOW["jobs"][job]["steps"])


def test_the_notes_of_a_release_are_its_part_of_the_changelog() -> None:
    assert notes().notes_of("v0.1.1", project("0.1.1"), CHANGELOG) == "Less.\n\n### More\n\n- It."


@pytest.mark.parametrize(
    ("tag", "version", "sentence"),
    [
        ("v0.1.2", "0.1.1", "make the tag v0.1.1"),
        ("0.1.1", "0.1.1", "make the tag v0.1.1"),
        ("v0.2.0", "0.2.0", "says of 0.2.0 that it is unreleased; write the day"),
        ("v0.3.0", "0.3.0", "has no part about 0.3.0"),
    ],
)
def test_a_release_that_is_not_ready_is_refused(tag: str, version: str, sentence: str) -> None:
    module = notes()
    with pytest.raises(module.NotReady, match=re.escape(sentence)):
        module.notes_of(tag, project(version), CHANGELOG)


def test_our_changelog_is_read() -> None:
    """Its newest version is that of the program; before a release it has no day."""
    version, changelog = PROJECT["project"]["version"], (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    ours = changelog.replace("- unreleased\n", "- 2026-12-01\n", 1)
    assert len(notes().notes_of(f"v{version}", project(version), ours)) > 100


def test_each_image_is_built_and_listed_as_the_dockerfile_installs_it() -> None:
    assert tuple(WORKFLOW["jobs"]["images"]["strategy"]["matrix"]["target"]) == IMAGES
    listed = re.findall(r"uv export .*?--no-default-groups (.*) > dist/easel-(\w+)\.cdx\.json", commands_of("wheel"))
    assert {name: {*re.findall(r"--extra (\S+)", extras)} for extras, name in listed} == {
        name: {*re.findall(r"--extra (\S+)", STAGES[f"{name}-packages"])} for name in IMAGES
    }
    assert WORKFLOW["jobs"]["images"]["env"]["REGISTRY"] == "${{ vars.IMAGE_REGISTRY }}"
    assert "cosign sign --yes" in commands_of("images")
    assert "--sbom=true --provenance=mode=max" in commands_of("images")


def test_nothing_is_published_before_the_gate_and_all_images() -> None:
    jobs = WORKFLOW["jobs"]
    assert ".ci/run" in commands_of("gate")
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "gate": None,
        "wheel": "gate",
        "images": "gate",
        "publish": ["wheel", "images"],
    }
    # Only what publishes may write, and only what it publishes.
    assert WORKFLOW["permissions"] == {}
    rights = {
        name: {right for right, may in job["permissions"].items() if may == "write"} for name, job in jobs.items()
    }
    assert rights == {
        "gate": set(),
        "wheel": {"id-token", "attestations"},
        "images": {"packages", "id-token"},
        "publish": {"contents", "id-token"},
    }
    uses = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    assert [use for use in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", use)] == []


def test_one_version_of_uv_builds_everything() -> None:
    files = [ROOT / "Dockerfile", ROOT / ".github/workflows/release.yml"]
    assert (
        len({found for file in files for found in re.findall(r"uv==([\d.]+)", file.read_text(encoding="utf-8"))}) == 1
    )
    assert PROJECT["project"]["name"] == "easel-bot"
