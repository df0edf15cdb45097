"""The playground: a local Discord for the browser and for tests."""

from playground.faults import Fault, FaultKind, Faults
from playground.local_discord import LocalDiscord, PortTaken
from playground.rest import RequestRecord

__all__ = ["Fault", "FaultKind", "Faults", "LocalDiscord", "PortTaken", "RequestRecord"]
