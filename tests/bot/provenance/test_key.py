"""Whether pictures are signed, and the sentence that says why they are not."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import app
from bot.provenance import key as keys
from bot.provenance.key import KeyFiles, NoKey, load_key
from config.loading import ConfigError
from config.settings import ProvenanceSettings, Settings, StorageSettings
from provenance.keys import LEAF_YEARS, Root, write_key

NOW = datetime.now(UTC)


@pytest.fixture
def here(settings: Settings, tmp_path: Path) -> Settings:
    """The example settings, whose storage folder is empty: `easel provenance init` never ran."""
    return settings.model_copy(update={"storage": StorageSettings(directory=tmp_path)})


def told(settings: Settings, **provenance: Any) -> NoKey:
    with pytest.raises(NoKey) as caught:
        load_key(settings.model_copy(update={"provenance": ProvenanceSettings(**provenance)}))
    return caught.value


def test_by_default_there_is_no_key_and_nothing_is_wrong(here: Settings) -> None:
    with pytest.raises(NoKey, match=r"unsigned, since there is no key; `easel provenance init` makes one") as caught:
        load_key(here)
    assert not caught.value.is_wrong
    with capture_logs() as logs:
        assert app._key(here) is None
    assert [(each["log_level"], each["action"]) for each in logs] == [("info", "unsigned")]


def test_without_a_key_no_library_is_loaded(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "provenance.keys", None)  # whoever imports it now fails
    assert "there is no key" in str(told(here))


def test_a_key_that_was_made_signs(here: Settings) -> None:
    files, made = KeyFiles.of(here), Root.make("Ada", NOW).issue(NOW)
    write_key(made, files.key, files.chain)
    assert load_key(here).serial == made.serial
    assert told(here, sign="off").is_wrong is False


def test_a_key_that_is_set_up_and_cannot_be_used_is_wrong(here: Settings, tmp_path: Path) -> None:
    missing = told(here, key_file=tmp_path / "gone.pem")
    assert missing.is_wrong
    assert f"{tmp_path / 'gone.pem'} cannot be read" in str(missing)
    files = KeyFiles.of(here)
    long_ago = NOW - timedelta(days=366 * LEAF_YEARS)
    write_key(Root.make("Ada", long_ago).issue(long_ago), files.key, files.chain)
    assert "`easel provenance rotate` makes a new one" in str(told(here))
    files.chain.write_text(Root.make("Eve", NOW).issue(NOW).chain)
    assert "do not belong together" in str(told(here))
    files.key.write_bytes(b"nonsense")
    assert "is damaged" in str(told(here))
    with capture_logs() as logs:
        assert app._key(here) is None
    assert [each["log_level"] for each in logs] == ["warning"]


def test_where_pictures_must_be_signed_the_start_fails_without_a_key(here: Settings) -> None:
    required = here.model_copy(update={"provenance": ProvenanceSettings(sign="required")})
    with pytest.raises(ConfigError, match=r"cannot be read.*provenance\.sign is required"):
        app._key(required)


def test_a_library_that_is_missing_is_named(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_LIBRARIES", ("c2pa_of_no_system",))
    error = told(here)
    assert "c2pa_of_no_system has no package for this system" in str(error)
    assert not error.is_wrong
    assert told(here, sign="required").is_wrong
