"""Facts in the JSON that the reader of c2pa gives about a file: a stranger's text, of which no shape is sure."""

import json
from typing import Any, Final

from pipeline.protocol.provenance.source_types import COMPOSITE, GENERATED
from provenance.messages import Credentials, Trust

MOST_CHARACTERS: Final = 100
"""Most characters of a stranger's text that are kept."""
_TRUSTED: Final = "signingCredential.trusted"
_UNTRUSTED: Final = "signingCredential.untrusted"
_EXPIRED: Final = "signingCredential.expired"
_ABOUT_SIGNER: Final = frozenset({_UNTRUSTED, _EXPIRED})
_SIGNATURE: Final = "claimSignature.validated"
_CONTENT: Final = "assertion.dataHash.match"


def credentials_of(report: str) -> Credentials:
    """The newest manifest in a report of c2pa's reader.

    Raises:
        ValueError, TypeError: the report has no manifest, or another shape.
    """
    found: Any = json.loads(report)
    name = found["active_manifest"]
    manifest: Any = found["manifests"][name]
    results: Any = found.get("validation_results", {}).get("activeManifest", {})
    successes, failures = (_codes(results.get(kind, [])) for kind in ("success", "failure"))
    signature: Any = manifest.get("signature_info") or {}
    return Credentials(
        manifest=_text(name),
        trust=_trust(successes, failures),
        is_signature_valid=_SIGNATURE in successes,
        is_whole=_CONTENT in successes and failures <= _ABOUT_SIGNER,
        serial=_text(signature.get("cert_serial_number")),
        signer=_text(signature.get("issuer") or signature.get("common_name")),
        tool=_tool(manifest),
        is_ai=any(says_ai(_text(action.get("digitalSourceType"))) for action in _actions(manifest)),
        ingredients=len(manifest.get("ingredients") or []),
    )


def says_ai(source_type: str) -> bool:
    """Whether a digital source type says that a model made or changed the picture."""
    return source_type in (GENERATED, COMPOSITE)


def _codes(entries: Any) -> frozenset[str]:
    return frozenset(_text(each.get("code")) for each in entries)


def _trust(successes: frozenset[str], failures: frozenset[str]) -> Trust:
    if _EXPIRED in failures:
        return Trust.EXPIRED
    return Trust.TRUSTED if _TRUSTED in successes and _UNTRUSTED not in failures else Trust.UNKNOWN


def _actions(manifest: Any) -> list[Any]:
    return [
        action
        for assertion in manifest.get("assertions") or []
        if _text(assertion.get("label")).startswith("c2pa.actions")
        for action in assertion["data"].get("actions") or []
    ]


def _tool(manifest: Any) -> str:
    """The program of the claim; older claims name it in a plain text."""
    infos: Any = manifest.get("claim_generator_info") or [{}]
    named = _text(infos[0].get("name"))
    return named or _text(manifest.get("claim_generator"))


def _text(value: Any) -> str:
    return value[:MOST_CHARACTERS] if isinstance(value, str) else ""
