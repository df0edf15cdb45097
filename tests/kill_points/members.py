"""What two members ask for: one job each, and the first one's interaction comes twice."""

from typing import Any, Final

ASKED: Final = {2001: "a red frog", 2002: "a blue owl"}
"""Interactions and their prompts."""
FEED: Final = (2001, 2002, 2001)
"""In which order the gateway tells of them."""


def interaction(number: int, prompt: str) -> Any:
    """INTERACTION_CREATE of `/imagine` in a server, as the gateway sends it."""
    user = {"id": str(number * 10), "username": f"member{number}", "discriminator": "0", "avatar": None}
    return {
        "id": str(number),
        "application_id": "900",
        "type": 2,
        "token": f"token-of-{number}",
        "version": 1,
        "guild_id": "400",
        "guild": {"id": "400", "locale": "en-US", "features": []},
        "channel": {"id": "500", "type": 0, "name": "studio", "position": 0, "permissions": "0"},
        "channel_id": "500",
        "member": {
            "user": user,
            "roles": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
            "permissions": "2147483647",
        },
        "locale": "en-US",
        "app_permissions": "2147483647",
        "entitlements": [],
        "authorizing_integration_owners": {"0": "400"},
        "context": 0,
        "attachment_size_limit": 10_485_760,
        "data": {
            "id": "1",
            "name": "imagine",
            "type": 1,
            "options": [{"type": 3, "name": "prompt", "value": prompt}, {"type": 4, "name": "seed", "value": 7}],
        },
    }
