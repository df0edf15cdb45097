"""SimCord over the network. Only this package uses SimCord's internal parts.

SimCord 3.2.1 models Discord's world (members, messages, permissions, components, error
codes), but only for a bot in its own process. This package serves that world to a bot
in another process. It needs parts that SimCord calls internal. So the exact version is
pinned, and `tests/playground/test_simcord_internals.py` names each part: an upgrade
fails there first.
"""

from simcord import InteractionResult, MemberActor, ResponseMessage, SetupError
from simcord.builders import ChannelHandle, GuildHandle, UserHandle

from playground.bridge.backend import ATTACHMENT_SIZE_LIMIT, LocalBackend
from playground.bridge.env import LocalEnv, Person
from playground.bridge.events import EventShaper
from playground.bridge.page import LivePage
from playground.bridge.requests import Answer, Upload, dispatch

__all__ = [
    "ATTACHMENT_SIZE_LIMIT",
    "Answer",
    "ChannelHandle",
    "EventShaper",
    "GuildHandle",
    "InteractionResult",
    "LivePage",
    "LocalBackend",
    "LocalEnv",
    "MemberActor",
    "Person",
    "ResponseMessage",
    "SetupError",
    "Upload",
    "UserHandle",
    "dispatch",
]
