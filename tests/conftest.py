"""What most tests share: the example settings, the shipped catalogue, a valid request, and the marks."""

import contextlib
import functools
import gc
import itertools
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Final

import hypothesis
import pytest
import structlog

from config.catalogue import Catalogue, load_catalogue
from config.loading import load_settings
from config.settings import Settings
from pipeline.protocol.requests import GenerationRequest
from tests.shared_worker import STARTER, STATE, warm_starter, worker_state

# Read when torch is imported. The tests' processes keep all processors busy, so threads would only wait for each other,
# and a test that wants two must not have them wait in a loop.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

IS_THOROUGH: Final = "CI" in os.environ
"""In the gate, every example of a property is tried; elsewhere some of them."""
hypothesis.settings.register_profile("ci", deadline=None)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=20)
hypothesis.settings.load_profile("ci" if IS_THOROUGH else "dev")

ROOT = Path(__file__).parents[1]
TESTS: Final = Path(__file__).parent
STARTS: Final = {
    "worker": (
        "bot/cli/models/test_adding.py",
        "bot/cli/models/test_fetching.py",
        "bot/jobs/delivering/test_fitting.py",
        "pipeline/engine",
        "pipeline/images",
        "pipeline/test_converting.py",
        "recipes",
    ),
    "system": (
        "bot/cli/test_convert.py",
        "bot/cli/test_provenance.py",
        "bot/interactions/test_hidden_pictures.py",
        "bot/interactions/test_private_copies.py",
        "bot/jobs/test_accepting.py",
        "bot/jobs/test_dispatcher.py",
        "bot/jobs/test_fleet_rules.py",
        "bot/jobs/test_full_disk.py",
        "bot/jobs/test_image_checking.py",
        "bot/jobs/test_inputs.py",
        "bot/jobs/test_hurt_workers.py",
        "bot/jobs/delivering/test_last_words.py",
        "bot/jobs/test_preparing.py",
        "bot/jobs/test_restoring.py",
        "bot/jobs/test_signing.py",
        "bot/jobs/test_holds.py",
        "bot/jobs/test_rules_of_words.py",
        "bot/pictures",
        "bot/provenance",
        "bot/store/power_loss/test_images_on_a_full_disk.py",
        "end_to_end",
        "hosts",
        "kill_points",
        "pipeline/backends",
        "pipeline/reading/test_mutations.py",
        "pipeline/test_preloaded.py",
        "pipeline/test_worker.py",
        "playground",
        "provenance",
        "test_command_line.py",
        "test_made_up_kind.py",
        "test_made_up_option.py",
    ),
}
"""What tests start, by folder or file: `worker` is torch in their own process, `system` other processes."""
UNMARKED: Final = "not worker and not system"
_LOGGING: Final = structlog.get_config()
_PROCESSES: Final = frozenset({"subprocess.Popen", "os.fork", "os.posix_spawn"})
_running_unmarked = False


@pytest.fixture(autouse=True)
def _log_as_at_first() -> Generator[None]:  # pyright: ignore[reportUnusedFunction] # pytest calls it
    """Commands silence the log of their process, and later tests read it.

    The first state is kept, not the one before the test: a fixture of a whole module may have called a command.
    """
    structlog.configure(**_LOGGING)
    yield
    structlog.configure(**_LOGGING)


def pytest_configure(config: pytest.Config) -> None:
    """All processes of xdist share measurements and a warm starter, which imports torch while they look for tests."""
    if config.getoption("numprocesses", None) and config.option.markexpr != UNMARKED:
        os.environ[STARTER] = warm_starter()
        os.environ[STATE] = worker_state()


@functools.cache
def _mark_of(path: Path) -> str | None:
    return next(
        (mark for mark, places in STARTS.items() if any(path.is_relative_to(TESTS / place) for place in places)), None
    )


def _is_marked(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(mark) is not None for mark in STARTS)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Who wants the unmarked tests alone need not import torch to learn that the others are not wanted."""
    is_unwanted = config.option.markexpr == UNMARKED and _mark_of(collection_path) is not None
    return True if is_unwanted else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported now stays for ever: no collection of garbage looks through torch and all tests again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_sessionfinish() -> None:
    """Let libraries free at the end what they count."""
    gc.unfreeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what lies in a marked place."""
    mark = _mark_of(item.path)
    if mark is not None:
        item.add_marker(mark)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files run first, and pure ones last: so all processes of xdist end at about the same time.

    Files whose processes wait for others and files that compute take turns, so that no processor waits.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}
    paths = sorted(dict.fromkeys(item.path for item in items), key=lambda path: path not in slow)
    waiting, computing = ([path for path in paths if _mark_of(path) == mark] for mark in ("system", "worker"))
    order = [path for pair in itertools.zip_longest(waiting, computing) for path in pair]
    rank = {path: number for number, path in enumerate(order)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than processors, since tests of whole bots often wait."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """While a file in no marked place is read, `_forbid` holds."""
    with _unmarked(is_unmarked=isinstance(collector, pytest.Module) and _mark_of(collector.path) is None):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """While an unmarked test runs, `_forbid` holds."""
    with _unmarked(is_unmarked=not _is_marked(item)):
        return (yield)


@contextlib.contextmanager
def _unmarked(*, is_unmarked: bool) -> Generator[None]:
    global _running_unmarked  # noqa: PLW0603 - a hook of the interpreter is given nothing of ours
    _running_unmarked = is_unmarked
    try:
        yield
    finally:
        _running_unmarked = False


def _forbid(event: str, arguments: tuple[object, ...]) -> None:
    """A mark that is missing is told where it is missed."""
    if not _running_unmarked:
        return
    if event == "import" and arguments[0] == "torch":
        raise RuntimeError("A test that is not marked `worker` imports torch; name its file in `STARTS`.")
    # git only lists files, and so does fc-list, which matplotlib asks for fonts once on each computer.
    if event in _PROCESSES and arguments[:1] not in {("git",), ("fc-list",)}:
        raise RuntimeError(f"A test that is not marked `system` starts a process: {arguments}.")


sys.addaudithook(_forbid)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The example file, writing below a folder of the test."""
    monkeypatch.setenv("EASEL_STORAGE__DIRECTORY", str(tmp_path / "data"))
    return load_settings(ROOT / "easel.example.toml")


@pytest.fixture
def catalogue(settings: Settings) -> Catalogue:
    """The shipped catalogue."""
    return load_catalogue(settings.pipeline.catalogue, settings.pipeline.default_model)


@pytest.fixture
def request_() -> GenerationRequest:
    """A small request for the shipped model."""
    return GenerationRequest(
        prompt="a red apple",
        negative_prompt="",
        num_inference_steps=4,
        guidance_scale=5.0,
        width=64,
        height=64,
        scheduler_name="Euler",
        seed=7,
        num_images=1,
        model_key="pocket",
    )
