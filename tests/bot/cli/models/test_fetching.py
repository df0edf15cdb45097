"""`easel models fetch`, `list` and `check`. What a process looks through is looked through here, but once."""

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from bot.cli.models import fetching, listing
from bot.cli.models.examining import examine_files
from bot.cli.models.failing import ModelsFailed
from bot.cli.models.fetching import fetch
from bot.cli.models.listing import check_models
from bot.configure import make_configure
from bot.store.fetches import Fetches, FetchRuns
from config.catalogue import Catalogue
from config.settings import Settings, StorageSettings
from pipeline.examining import examined
from pipeline.protocol.catalogue.networks import FileSource, FolderSource, HubSource
from pipeline.protocol.examining import Examined
from tests.small_hub import SmallHub, hub

__all__ = ["hub"]
REPOSITORY = "somebody/pocket"


class Owner:
    """An owner at the command line, with a catalogue whose only model is on a hub.

    Attributes:
        questions: what the owner was asked.
        agrees: the answer.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue, folder: Path) -> None:
        self.settings = settings.model_copy(update={"storage": StorageSettings(directory=folder)})
        source = HubSource(repo_id=REPOSITORY, revision="main")
        model = msgspec.structs.replace(catalogue.default, source=source)
        self.catalogue = Catalogue(models={"pocket": model}, default_key="pocket")
        self.questions: list[str] = []
        self.agrees = True
        self.screen = io.StringIO()
        self.console = Console(file=self.screen, width=200)

    def agree(self, question: str) -> bool:
        self.questions.append(question)
        return self.agrees

    def fetch(self, key: str = "pocket") -> None:
        fetch(key, self.settings, self.catalogue, self.agree, self.console)

    def check(self) -> tuple[bool, str]:
        said: list[str] = []
        return check_models(self.settings, self.catalogue, said.append, self.console), "\n".join(said)

    def sentence(self, key: str = "pocket") -> str:
        with pytest.raises(ModelsFailed) as error:
            self.fetch(key)
        return str(error.value)


def examined_here(settings: Settings, catalogue: Catalogue) -> Examined:
    return examined(make_configure(settings, catalogue))


@pytest.fixture
def owner(
    settings: Settings, catalogue: Catalogue, hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Owner:
    monkeypatch.setattr(fetching, "examine_files", examined_here)
    monkeypatch.setattr(listing, "examine_files", examined_here)
    source = catalogue.default.source
    assert isinstance(source, FolderSource)
    folder = Path(source.path)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    hub.repositories[REPOSITORY] = {**files, "unet/pickled.bin": b"never wanted"}
    return Owner(settings, catalogue, tmp_path)


def test_a_model_is_fetched_whole_and_checked_by_its_hashes(owner: Owner, hub: SmallHub) -> None:
    looked = examine_files(owner.settings, owner.catalogue)  # in its process
    assert looked.missing == {"pocket": "Pocket is not on this computer yet; `easel models fetch pocket` downloads it."}
    hub.license = {"license": "other", "license_name": "pocket-1", "license_link": "LICENSE.md"}
    owner.fetch()
    assert "somebody/pocket at c0ffeec0ff says: pocket-1, LICENSE.md" in owner.screen.getvalue()
    assert owner.questions == ["Do you agree to these terms, and download 0.02 GiB?"]
    assert not any("pickled" in each.path or "vocabulary" in each.path for each in hub.asked if each.method == "GET")
    (weights,) = (owner.settings.model_cache / "models--somebody--pocket").glob("snapshots/*/unet/*.safetensors")
    whole = weights.read_bytes()
    weights.resolve().write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    is_fine, said = owner.check()
    assert not is_fine
    assert said.splitlines()[0].startswith("ok   pocket               sd            0.02 GiB  MIT")
    assert (
        f"BAD  {weights} has another hash than where it came from; `easel models fetch pocket` gets it again." in said
    )


def test_nothing_is_fetched_without_agreement(owner: Owner, hub: SmallHub) -> None:
    owner.agrees = False
    assert owner.sentence() == "Nothing was downloaded."
    assert not any(each.path.endswith(".safetensors") for each in hub.asked)


def test_an_entry_that_is_not_on_a_hub_is_told(
    owner: Owner, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert owner.sentence("sdxl") == "The catalogue has no entry 'sdxl'; it has pocket."
    owner.catalogue = catalogue
    monkeypatch.setattr(fetching, "examine_files", lambda *_: Examined())
    assert owner.sentence() == "The entry 'pocket' names files on this computer, so there is nothing to download."
    upscaler = next(iter(catalogue.upscalers))
    assert "names a file on this computer" in owner.sentence(upscaler)


def test_the_configuration_of_a_checkpoint_is_fetched_without_weights(
    owner: Owner, hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = msgspec.structs.replace(owner.catalogue.default, source=FileSource(path="model.safetensors"))
    owner.catalogue = Catalogue(models={"pocket": model}, default_key="pocket")
    found = Examined(configurations={"pocket": HubSource(repo_id=REPOSITORY, revision="main")})
    monkeypatch.setattr(fetching, "examine_files", lambda *_: found)
    owner.fetch()
    got = {each.path.rpartition("main/")[2] for each in hub.asked if each.method == "GET" and "resolve" in each.path}
    assert any(path.endswith("unet/config.json") for path in got)
    assert not any("safetensors" in path for path in got)


def test_a_running_download_is_marked_and_told(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    fetches = Fetches(owner.settings.model_cache)
    assert fetches.percent("pocket") is None
    with fetches.marked("pocket") as note:
        note(7)
        assert fetches.percent("pocket") == 7
        with pytest.raises(FetchRuns), fetches.marked("pocket"):
            pass
        assert fetches.percent("pocket") == 7
        assert owner.sentence() == "Another process downloads 'pocket' now; wait for that."
        monkeypatch.setattr(listing, "examine_files", lambda *_: Examined(missing={"pocket": "It is not here."}))
        assert "It is being downloaded; 7 % are here." in owner.check()[1]
    assert fetches.percent("pocket") is None
