"""One REST request, answered by SimCord's routes.

Discord's answer is a status and a JSON body. SimCord raises an exception for requests
that it does not know. The bot must get a 4xx for them: discord.py repeats a request
after a 5xx five times over 25 seconds, which would look like a hang.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simcord.backend.errors import BackendError
from simcord.backend.serializers import user_payload
from simcord.http import RouteNotImplemented, UnsupportedField, router

from playground.bridge.backend import complete

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playground.bridge.backend import LocalBackend

_log = logging.getLogger(__name__)

APPLICATION = "/oauth2/applications/@me"
ALIASES = {"/applications/@me": APPLICATION}
"""Routes that SimCord knows only by their older name."""


@dataclass(frozen=True)
class Upload:
    """One uploaded file, with the methods that SimCord calls."""

    filename: str
    data: bytes
    description: str | None = None
    fp: io.BytesIO = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Open the bytes as a file, as SimCord expects."""
        object.__setattr__(self, "fp", io.BytesIO(self.data))


@dataclass(frozen=True)
class Answer:
    """Status and JSON body. `gap` names the feature that SimCord lacks."""

    status: int
    body: Any = None
    gap: str | None = None


def dispatch(
    backend: LocalBackend,
    method: str,
    path: str,
    *,
    body: Any,
    query: Mapping[str, str],
    uploads: Sequence[Upload],
    reason: str | None,
) -> Answer:
    """Apply one request to the world and return Discord's answer."""
    path = ALIASES.get(path, path)
    try:
        result = router.dispatch(
            backend,
            method,
            path,
            json=body,
            params=dict(query),
            files=list(uploads),
            reason=reason,
        )
    except (RouteNotImplemented, UnsupportedField) as error:
        _log.error("SimCord cannot answer %s %s: %s", method, path, error.message)
        return Answer(400, {"code": 0, "message": error.message}, gap=error.message)
    except BackendError as error:
        return Answer(error.status, error.to_json())
    except Exception as error:  # noqa: BLE001 - logged with its traceback
        # Any other exception of a route, as for a missing field or a wrong type, stands for a
        # malformed request, which Discord would refuse. It may also be a mistake in SimCord,
        # so it is logged with its traceback and recorded as a gap.
        _log.exception("%s %s failed inside SimCord", method, path)
        gap = f"{method} {path}: {error!r}"
        return Answer(400, {"code": 50035, "message": f"Invalid Form Body: {error!r}"}, gap=gap)
    if path == APPLICATION and backend.owner_id is not None:
        result = {**result, "owner": user_payload(backend.users[backend.owner_id])}
    return Answer(204) if result is None else Answer(200, complete(result))
