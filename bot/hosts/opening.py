"""The fleet of the settings."""

from bot.hosts.roster import Roster, RosterFault
from config.loading import ConfigError
from config.settings import Settings
from pipeline.backends.base import Backend
from pipeline.backends.hosts.fleet import Fleet
from pipeline.backends.hosts.presence import Terms
from pipeline.protocol.wire.hosts import Policy


def open_fleet(settings: Settings, policy: Policy, local: Backend | None) -> Fleet:
    """The workers of all hosts, and that of this computer if it draws.

    Raises:
        ConfigError: the owner's files about hosts cannot be used.
    """
    roster = Roster(settings.storage.hosts)
    try:
        roster.begin()
        door = roster.door(settings.hosts.server)
    except RosterFault as error:
        raise ConfigError(str(error)) from error
    terms = Terms(policy=policy, lease_s=settings.hosts.lease_s, beat_s=settings.hosts.lease_s / 5)
    return Fleet(door, terms, roster=lambda: roster.draining, local=local)
