"""A real database, as the store's tests have it."""

from tests.bot.store.conftest import database, new_job, store

__all__ = ["database", "new_job", "store"]
