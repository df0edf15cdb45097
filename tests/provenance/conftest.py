"""A time stamp authority for tests of provenance."""

from collections.abc import AsyncGenerator

import pytest

from tests.provenance.authority import Authority


@pytest.fixture
async def authority() -> AsyncGenerator[Authority]:
    opened = Authority()
    await opened.open()
    yield opened
    await opened.close()
