"""Pictures are signed by a process without a key, and read back by one that knows nothing of it."""

import hashlib
import io
import os
import signal
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from pipeline.images.encode import encode
from pipeline.images.fingerprint import fingerprint
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.settings import ImageFormat, ImageOutput
from provenance.keys import KeyUnusable, Root, SigningKey, read_key, write_key, write_secret
from provenance.manifests import ingredients_of, manifest_of
from provenance.messages import Read, Refusal, Sign, Signed, Trust
from provenance.process import Child, ChildFailed
from provenance.repairing import without_tail
from tests.picture_files import parameters_in
from tests.process_memory import memory_of
from tests.provenance.authority import Authority
from tests.provenance.made import NOW, PATIENCE_S, WORDS, key_of, picture, png, reading_of, saved, signed

FORMATS: tuple[ImageFormat, ...] = ("png", "webp", "jpeg")
MOST_BYTES = 13_000


def order_of(key: SigningKey, request: GenerationRequest) -> Sign:
    """The order to sign a picture that nothing went into."""
    return Sign(
        data=png(picture()),
        media_type="image/png",
        manifest=manifest_of(request, "a.png", NOW, has_parent=False),
        ingredients=(),
        chain=key.chain,
    )


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


@pytest.mark.parametrize("image_format", FORMATS)
async def test_every_format_is_signed_and_keeps_its_pixels_and_its_words(
    image_format: ImageFormat, request_: GenerationRequest
) -> None:
    key = key_of()
    drawn = encode(picture(), WORDS, ImageOutput(image_format=image_format), index=0, seed=7)
    done = await signed(drawn.data, drawn.media_type, key, request_)
    assert len(done.data) - len(drawn.data) <= MOST_BYTES
    assert opened(done.data).tobytes() == opened(drawn.data).tobytes()
    assert parameters_in(done.data) == WORDS
    found = await reading_of(done.data, key)
    assert found.credentials is not None
    assert found.credentials.trust is Trust.TRUSTED
    assert (found.credentials.is_signature_valid, found.credentials.is_whole) == (True, True)
    assert (found.credentials.serial, found.credentials.manifest) == (key.serial, done.manifest)
    assert (found.credentials.signer, found.credentials.tool) == ("Ada's Easel", "Easel")
    assert found.credentials.is_ai
    assert found.fingerprint == drawn.fingerprint
    assert found.says_ai


def test_a_manifest_says_nothing_of_words_and_people(request_: GenerationRequest) -> None:
    told = manifest_of(
        msgspec.structs.replace(request_, prompt="SECRET", negative_prompt="SECRET"), "a.png", NOW, has_parent=False
    )
    assert "SECRET" not in told
    assert "c2pa.created" in told
    changed = msgspec.structs.replace(request_, inputs=(Input(role=InputRole.INIT_IMAGE, sha256="ab"),))
    assert "c2pa.edited" in manifest_of(changed, "a.png", NOW, has_parent=True)
    assert "c2pa.created" in manifest_of(changed, "a.png", NOW, has_parent=False)
    assert "compositeWithTrainedAlgorithmicMedia" in manifest_of(changed, "a.png", NOW, has_parent=False)


async def test_a_changed_picture_names_the_one_that_it_was_and_what_it_followed(request_: GenerationRequest) -> None:
    key = key_of()
    parent = await signed(png(picture()), "image/png", key, request_)
    inputs = tuple(
        Input(role=role, sha256=name)
        for role, name in (
            (InputRole.REFERENCE, "b"),
            (InputRole.INIT_IMAGE, "a"),
            (InputRole.MASK, "c"),
            (InputRole.REFERENCE, "b"),
        )
    )
    request = msgspec.structs.replace(request_, inputs=inputs)
    files = {"a": (parent.data, "image/png"), "b": (saved(picture(seed=1), "JPEG"), "image/jpeg")}
    ingredients = ingredients_of(request, files)
    assert [each.relationship for each in ingredients] == ["inputTo", "parentOf"]
    done = await signed(png(picture(seed=2)), "image/png", key, request, ingredients)
    assert parent.manifest.encode() in done.data
    found = (await reading_of(done.data, key)).credentials
    assert found is not None
    assert (found.ingredients, found.trust, found.is_whole) == (2, Trust.TRUSTED, True)


async def test_without_a_time_stamp_a_picture_is_signed_all_the_same(
    request_: GenerationRequest, authority: Authority
) -> None:
    key = key_of()
    order = msgspec.structs.replace(order_of(key, request_), timestamp_url=authority.url)
    child = await Child.start("stamp")
    first = await child.sign(order, key.seal, PATIENCE_S)
    authority.answer = 500
    second = await child.sign(order, key.seal, PATIENCE_S)
    await child.close()
    assert isinstance(first, Signed)
    assert isinstance(second, Signed)
    assert authority.asked == 2
    assert first.stamp_fault == ""
    assert "status = 500" in second.stamp_fault
    assert len(second.data) - len(order.data) <= MOST_BYTES
    found = (await reading_of(second.data, key)).credentials
    assert found is not None
    assert (found.trust, found.is_whole) == (Trust.TRUSTED, True)


async def test_a_process_that_stamps_nothing_reaches_no_network(
    request_: GenerationRequest, authority: Authority
) -> None:
    child = await Child.start("sign")
    key = key_of()
    with pytest.raises(ChildFailed):
        await child.sign(
            msgspec.structs.replace(order_of(key, request_), timestamp_url=authority.url), key.seal, PATIENCE_S
        )
    await child.close()
    assert authority.asked == 0


async def test_a_wrong_signature_is_noticed(request_: GenerationRequest) -> None:
    child = await Child.start("sign")
    key = key_of()
    order = order_of(key, request_)
    for seal in (lambda _: bytes(64), lambda _: b"", key_of("Eve").seal):
        assert isinstance(await child.sign(order, seal, PATIENCE_S), Refusal)
    assert isinstance(await child.sign(order, key.seal, PATIENCE_S), Signed)
    await child.close()


async def test_a_child_that_is_killed_is_told_of(request_: GenerationRequest) -> None:
    child = await Child.start("sign")
    key = key_of()
    order = order_of(key, request_)

    def kill(_: bytes) -> bytes:
        os.kill(child.process.pid, signal.SIGKILL)
        return bytes(64)

    with pytest.raises(ChildFailed, match="died"):
        await child.sign(order, kill, PATIENCE_S)
    await child.close()


async def test_a_child_that_stands_still_is_given_up(request_: GenerationRequest) -> None:
    child = await Child.start("sign")
    os.kill(child.process.pid, signal.SIGSTOP)
    order = Sign(
        data=b"",
        media_type="image/png",
        manifest=manifest_of(request_, "", NOW, has_parent=False),
        ingredients=(),
        chain="",
    )
    with pytest.raises(ChildFailed, match=r"more than 0.2 s"):
        await child.sign(order, key_of().seal, 0.2)
    await child.close()
    assert child.process.returncode == -signal.SIGKILL


async def test_the_child_has_no_variable_of_ours_and_no_key(
    monkeypatch: pytest.MonkeyPatch, request_: GenerationRequest
) -> None:
    monkeypatch.setenv("EASEL_DISCORD__TOKEN", "a-secret-token")
    key = key_of()
    child = await Child.start("sign")
    order = order_of(key, request_)
    assert isinstance(await child.sign(order, key.seal, PATIENCE_S), Signed)
    place = Path(f"/proc/{child.process.pid}")
    number = key.private.private_numbers().private_value
    held = b"".join(memory_of(child.process.pid))
    await_nothing = (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
    await child.close()
    assert b"EASEL_" not in await_nothing
    assert key.certificate.signature in held  # the memory that is searched is the right one
    for secret in (number.to_bytes(32, "big"), number.to_bytes(32, "little"), b"PRIVATE KEY", b"a-secret-token"):
        assert secret not in held


async def test_a_read_wants_no_signature() -> None:
    child = await Child.start("read")
    answer = await child._ask(Read(data=png(picture()), anchors=""), None, PATIENCE_S)
    assert not isinstance(answer, Refusal)
    await child.close()


def test_the_end_of_a_file_is_found() -> None:
    for data in (png(picture()), saved(picture(), "WEBP"), saved(picture(63), "WEBP", lossless=True)):
        assert without_tail(data) == data
        assert without_tail(data + b"Discord was here") == data
        assert without_tail(data[:-5]) == data[:-5]
    assert without_tail(b"\x89PNG\r\n\x1a\n" + bytes(30)) == b"\x89PNG\r\n\x1a\n" + bytes(30)


def test_a_key_is_written_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    root = Root.make("Ada's Easel", NOW)
    key = root.issue(NOW)
    write_key(key, tmp_path / "key.pem", tmp_path / "chain.pem")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    again = read_key(tmp_path / "key.pem", tmp_path / "chain.pem", NOW)
    assert (again.serial, again.chain, again.anchor) == (key.serial, key.chain, key.anchor)
    write_secret(tmp_path / "root.pem", root.as_pem("open sesame"))
    assert Root.read(tmp_path / "root.pem", "open sesame").certificate == root.certificate
    with pytest.raises(KeyUnusable, match="check the passphrase"):
        Root.read(tmp_path / "root.pem", "guess")


def test_what_is_wrong_with_a_key_is_one_sentence(tmp_path: Path) -> None:
    key_file, chain_file = tmp_path / "key.pem", tmp_path / "chain.pem"
    with pytest.raises(KeyUnusable, match=r"key.pem cannot be read: No such file"):
        read_key(key_file, chain_file, NOW)
    write_key(key_of(), key_file, chain_file)
    with pytest.raises(KeyUnusable, match=r"held until 20.*`easel provenance rotate`"):
        read_key(key_file, chain_file, NOW + timedelta(days=3_651))
    write_key(key_of(), tmp_path / "other.pem", chain_file)
    with pytest.raises(KeyUnusable, match="do not belong together"):
        read_key(key_file, chain_file, NOW)
    chain_file.write_text("nothing")
    with pytest.raises(KeyUnusable, match="are damaged"):
        read_key(key_file, chain_file, NOW)
    key_file.write_text("nothing")
    with pytest.raises(KeyUnusable, match=r"is damaged; `easel provenance rotate`"):
        read_key(key_file, chain_file, NOW)
    with pytest.raises(KeyUnusable, match="1 to 64 characters"):
        Root.make(" ", NOW)


def test_the_pixels_of_a_reading_are_those_of_the_worker() -> None:
    rows = np.asarray(picture())
    assert fingerprint(rows).pixels == hashlib.sha256(b"96x96" + rows.tobytes()).hexdigest()
