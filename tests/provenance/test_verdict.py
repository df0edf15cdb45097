"""Each row of the table of verdicts, over files that the real processes signed and read."""

import asyncio
import io
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from pipeline.images.fingerprint import fingerprint
from pipeline.protocol.requests import GenerationRequest
from provenance.claims import credentials_of
from provenance.keys import SigningKey
from provenance.messages import Credentials, Reading, Refusal, Signed, Trust
from provenance.process import Child, read_once
from provenance.verdict import EXIT_CODES, KeyState, Known, Verdict, judge
from tests.provenance.authority import Authority
from tests.provenance.made import PATIENCE_S, key_of, picture, png, reading_of, saved, signed

FLIPS = 500
OURS = Known(key=KeyState.IN_USE)
MINE = Known(key=KeyState.IN_USE, has_pixels=True)


def cropped(data: bytes) -> bytes:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return saved(image.crop((5, 5, image.width - 5, image.height - 5)), "PNG")


def again(data: bytes, kind: str, **options: object) -> bytes:
    return saved(Image.open(io.BytesIO(data)).convert("RGB"), kind, **options)


def manifest_at(data: bytes) -> range:
    """The places of the chunk `caBX` in a PNG file."""
    at = data.index(b"caBX") - 4
    return range(at, at + 12 + int.from_bytes(data[at : at + 4], "big"))


@pytest.fixture
def key() -> SigningKey:
    return key_of()


@pytest.fixture
async def made(key: SigningKey, request_: GenerationRequest) -> Signed:
    return await signed(png(picture()), "image/png", key, request_)


async def test_ours_is_made_here_and_unchanged(made: Signed, key: SigningKey) -> None:
    found = await reading_of(made.data, key)
    assert judge(found, OURS) is Verdict.INTACT
    assert judge(found, Known(key=KeyState.RETIRED)) is Verdict.KEY_RETIRED
    assert judge(found, Known(key=KeyState.STOLEN)) is Verdict.KEY_STOLEN
    assert judge(found, Known(key=KeyState.STOLEN, has_pixels=True)) is Verdict.KEY_RETIRED
    assert judge(found, Known(key=KeyState.STOLEN, has_file=True)) is Verdict.KEY_RETIRED


async def test_a_file_that_went_out_unsigned_is_known_by_its_bytes(key: SigningKey) -> None:
    found = await reading_of(png(picture()), key)
    assert judge(found, Known(has_file=True)) is Verdict.INTACT


async def test_bytes_behind_the_end_and_lossless_copies_are_saved_anew(made: Signed, key: SigningKey) -> None:
    longer = await reading_of(made.data + b"appended", key)
    assert longer.was_cut
    assert judge(longer, OURS) is Verdict.SAVED_ANEW
    lossless = await reading_of(again(made.data, "WEBP", lossless=True), key)
    assert lossless.fingerprint == longer.fingerprint
    assert judge(lossless, Known(has_pixels=True)) is Verdict.SAVED_ANEW


async def test_a_lossy_copy_looks_alike_and_a_crop_is_not_found(made: Signed, key: SigningKey) -> None:
    lossy = await reading_of(again(made.data, "JPEG", quality=60), key)
    assert judge(lossy, Known(has_alike=True)) is Verdict.ALIKE
    assert judge(await reading_of(cropped(made.data), key), Known()) is Verdict.NOTHING


async def test_our_signature_on_another_content_is_told(made: Signed, key: SigningKey) -> None:
    other = bytearray(made.data)
    other[-20] ^= 1
    assert judge(await reading_of(bytes(other), key), OURS) is Verdict.CHANGED


async def test_a_manifest_that_was_put_into_another_picture_does_not_fit(
    made: Signed, key: SigningKey, request_: GenerationRequest
) -> None:
    theirs = await signed(png(picture(seed=5)), "image/png", key_of("Eve"), request_)
    chunk = manifest_at(theirs.data)
    own = manifest_at(made.data)
    moved = made.data[: own.start] + theirs.data[chunk.start : chunk.stop] + made.data[own.stop :]
    assert judge(await reading_of(moved, key), Known()) is Verdict.BROKEN


async def test_names_of_ours_on_a_strangers_certificate_are_never_ours(
    key: SigningKey, request_: GenerationRequest
) -> None:
    forged = await signed(png(picture()), "image/png", key_of("Ada's Easel"), request_)
    found = await reading_of(forged.data, key)
    assert found.credentials is not None
    assert (found.credentials.signer, found.credentials.trust) == ("Ada's Easel", Trust.UNKNOWN)
    assert judge(found, Known()) is Verdict.FOREIGN
    # Not even with a serial number of ours, which a stranger may choose.
    assert judge(found, OURS) is Verdict.FOREIGN


def expired(*, is_valid: bool = True) -> Reading:
    """What is read of a file whose certificate has run out: c2pa then calls it untrusted too."""
    failures = [{"code": code} for code in ("signingCredential.untrusted", "signingCredential.expired")]
    successes = [{"code": "claimSignature.validated"}] if is_valid else []
    report = {
        "active_manifest": "urn:c2pa:1",
        "manifests": {"urn:c2pa:1": {"signature_info": {"cert_serial_number": "7"}}},
        "validation_results": {
            "activeManifest": {"success": [*successes, {"code": "assertion.dataHash.match"}], "failure": failures}
        },
    }
    return Reading(credentials=credentials_of(json.dumps(report)), fingerprint=None)


def test_a_certificate_that_has_run_out_is_ours_where_the_register_knows_the_picture() -> None:
    assert judge(expired(), MINE) is Verdict.KEY_RETIRED
    assert judge(expired(), Known(has_file=True, key=KeyState.IN_USE)) is Verdict.KEY_RETIRED
    assert judge(expired(), OURS) is Verdict.FOREIGN
    assert judge(expired(is_valid=False), OURS) is Verdict.BROKEN


async def short_lived(request: GenerationRequest, url: str, lifetime_s: float = 3.0) -> tuple[SigningKey, Signed]:
    """A stamped signature whose certificate runs out soon. A busy machine may need more time to sign."""
    key = key_of(now=datetime.now(UTC) - timedelta(days=3_650) + timedelta(seconds=lifetime_s))
    try:
        return key, await signed(png(picture()), "image/png", key, request, timestamp_url=url)
    except AssertionError:
        return await short_lived(request, url, 2 * lifetime_s)


async def test_a_certificate_runs_out_for_real_unless_a_trusted_authority_stamped(
    request_: GenerationRequest, authority: Authority
) -> None:
    old, made = await short_lived(request_, authority.url)
    async with asyncio.timeout(2 * PATIENCE_S):
        while (found := await reading_of(made.data, old)).credentials is not None:
            if found.credentials.trust is Trust.EXPIRED:
                break
    assert judge(found, MINE) is Verdict.KEY_RETIRED
    stamped = await read_once(made.data, old.anchor + authority.anchor)
    assert isinstance(stamped, Reading)
    assert judge(stamped, MINE) is Verdict.INTACT


def test_what_a_file_says_of_itself_is_a_claim() -> None:
    nothing = Reading(credentials=None, fingerprint=None)
    assert judge(nothing, Known()) is Verdict.NOTHING
    assert judge(msgspec.structs.replace(nothing, says_ai=True), Known()) is Verdict.CLAIMED
    assert judge(msgspec.structs.replace(nothing, has_broken_credentials=True), Known()) is Verdict.BROKEN


async def test_words_in_a_file_are_read_as_a_claim(key: SigningKey) -> None:
    assert judge(await reading_of(png(picture()), key), Known()) is Verdict.CLAIMED
    assert judge(await reading_of(saved(picture(), "PNG"), key), Known()) is Verdict.NOTHING


def test_every_verdict_has_an_exit_code() -> None:
    assert set(EXIT_CODES) == set(Verdict)


async def test_no_flipped_bit_outside_the_manifest_is_unchanged(made: Signed, key: SigningKey) -> None:
    outside = [at for at in range(len(made.data)) if at not in manifest_at(made.data)]
    rng = random.Random(7)
    whole = fingerprint(np.asarray(picture()))
    child = await Child.start("read")
    verdicts: set[Verdict] = set()
    for _ in range(FLIPS):
        flipped = bytearray(made.data)
        flipped[rng.choice(outside)] ^= 1 << rng.randrange(8)
        found = await child.read(flipped, key.anchor, PATIENCE_S)
        if isinstance(found, Reading):
            is_same = found.fingerprint == whole
            verdicts.add(judge(found, MINE if is_same else OURS))
    await child.close()
    assert verdicts
    assert verdicts.isdisjoint({Verdict.INTACT, Verdict.KEY_RETIRED})


def test_a_report_of_another_shape_gives_nothing_away() -> None:
    for report in ("{}", '{"active_manifest": "a", "manifests": {}}', "[]"):
        with pytest.raises((KeyError, TypeError)):
            credentials_of(report)
    long = {"active_manifest": "a", "manifests": {"a": {"signature_info": {"issuer": "x" * 5_000}}}}
    found = credentials_of(json.dumps(long))
    assert len(found.signer) == 100
    assert found == Credentials(
        manifest="a",
        trust=Trust.UNKNOWN,
        is_signature_valid=False,
        is_whole=False,
        serial="",
        signer="x" * 100,
        tool="",
        is_ai=False,
        ingredients=0,
    )


async def test_a_hostile_file_is_refused_and_costs_the_bot_nothing() -> None:
    for data in (b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(20_000_000)):
        before = resident()
        found = await read_once(data, "", timeout_s=8.0)
        assert isinstance(found, Refusal) or found.fingerprint is None
        # The bound for any hostile file; the allocator of this process keeps some of the copies.
        assert resident() - before < 60_000_000


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096
