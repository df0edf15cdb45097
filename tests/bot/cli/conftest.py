"""A real database, as the store's tests have it, and a log that is as before after each command."""

from collections.abc import Iterator

import pytest
import structlog

from tests.bot.store.conftest import database, new_job, store

__all__ = ["database", "new_job", "store"]


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Commands silence the log of their process, and later tests read it."""
    logging = structlog.get_config()
    yield
    structlog.configure(**logging)
