"""Whether the servers of engines of others can be reached, and what they lack."""

from collections.abc import AsyncIterator

from bot.cli.doctor.finding import Finding
from bot.configure import make_servers
from config.catalogue import Catalogue
from config.loading import ConfigError
from config.settings import Settings
from pipeline.backends.engines.server import Server, ServerAway


async def engine_findings(settings: Settings, catalogue: Catalogue) -> AsyncIterator[Finding]:
    """A finding about each server, and one about each engine that nothing is drawn with."""
    for key, spec in catalogue.models.items():
        if spec.drawn_by is not None and spec.drawn_by.engine not in settings.engines.servers:
            sentence = f"its engine '{spec.drawn_by.engine}' is not in engines.servers"
            yield Finding(subject=key, is_fine=False, sentence=sentence)
    for name, engine in settings.engines.servers.items():
        specs = [
            spec for spec in catalogue.models.values() if spec.drawn_by is not None and spec.drawn_by.engine == name
        ]
        if not specs:
            yield Finding(subject=name, is_fine=None, sentence="no model of the catalogue is drawn by it")
        try:
            servers = make_servers(name, engine, specs)
        except ConfigError as error:
            yield Finding(subject=name, is_fine=False, sentence=str(error))
            continue
        for server in servers:
            yield await _finding(name, server)


async def _finding(name: str, server: Server) -> Finding:
    try:
        facts = await server.look()
    except ServerAway as error:
        return Finding(subject=name, is_fine=False, sentence=str(error))
    finally:
        await server.close()
    missing = next(iter(facts.missing.values()), "")
    sentence = missing or f"{facts.version} at {server.url} answers; it draws with {facts.device}"
    return Finding(subject=name, is_fine=not missing, sentence=sentence)
