"""The process that signs and reads pictures with c2pa, `python -m provenance.child FD WORK`.

It parses files, so it holds nothing worth stealing: no key, no token, no other file. The key stays in the bot, which
signs the thousand bytes that this process asks it to sign. A process that signs lives on and sees only pictures of this
Easel; one that reads a stranger's file ends after it. Only a process that wants time stamps keeps the network.
"""

import io
import socket
import sys
from collections.abc import Iterator
from typing import Final

import c2pa
import msgspec
import numpy as np
from PIL import Image, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin

from pipeline.images.fingerprint import fingerprint
from pipeline.metadata.texts import texts_in
from pipeline.metadata.tools import parameters_from
from pipeline.protocol.provenance.fingerprints import Fingerprint
from pipeline.protocol.reading import MAX_PIXELS, PictureFault
from pipeline.protocol.wire.codec import FrameReader, framed
from pipeline.reading.confinement import confine
from provenance.claims import credentials_of, says_ai
from provenance.messages import FromChild, Read, Reading, Refusal, Seal, Sealed, Sign, Signed, ToChild
from provenance.repairing import media_type_of, without_tail

FORMATS: Final = ("PNG", "JPEG", "WEBP")
_PLUGINS: Final = (PngImagePlugin, JpegImagePlugin, MpoImagePlugin, WebPImagePlugin)
"""Pillow imports them when it needs them, and this process opens no file later."""
_PIECE: Final = 1 << 20
_MOST_DETAIL: Final = 500
_VERIFY: Final = {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": False}
_SETTINGS: Final = {"builder": {"thumbnail": {"enabled": False}}, "verify": _VERIFY}
_decoder = msgspec.msgpack.Decoder(ToChild)
_encoder = msgspec.msgpack.Encoder()


class _Line:
    """The way to the bot: whole messages in both directions."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._messages = self._received()

    def say(self, message: FromChild) -> None:
        self._connection.sendall(framed(_encoder.encode(message)))

    def hear(self) -> ToChild | None:
        """The next message; None when the bot has hung up."""
        return next(self._messages, None)

    def _received(self) -> Iterator[ToChild]:
        frames = FrameReader()
        while piece := self._connection.recv(_PIECE):
            yield from map(_decoder.decode, frames.feed(piece))


def main() -> None:
    """Answer messages until the bot hangs up."""
    descriptor, work = sys.argv[1:]
    line = _Line(socket.socket(fileno=int(descriptor)))
    _warm_up()
    confine("easel-c2pa", is_lasting=work != "read", may_call=work == "stamp")
    while (message := line.hear()) is not None:
        line.say(_answer(line, message))


def _warm_up() -> None:
    """Read a picture of each format. Libraries import parts of themselves when they are first used."""
    for name in FORMATS:
        file = io.BytesIO()
        Image.new("RGB", (8, 8)).save(file, name)
        read(file.getvalue(), "")


def _answer(line: _Line, message: ToChild) -> FromChild:
    try:
        match message:
            case Sign():
                return _signed(line, message)
            case Read():
                return read(message.data, message.anchors)
            case Sealed():
                return Refusal(detail="A signature came that nobody waited for.")
    # A stranger's file may break any parser in any way.
    except Exception as error:  # noqa: BLE001 - see above
        return Refusal(detail=repr(error)[:_MOST_DETAIL])


def _signed(line: _Line, order: Sign) -> Signed | Refusal:
    """Sign, and read the result back: c2pa writes a wrong signature into a file without a word.

    What an authority does not stamp is signed without a stamp.
    """
    fault = ""
    try:
        data = _written(line, order, order.timestamp_url)
    except c2pa.C2paError as error:
        if not order.timestamp_url:
            raise
        data, fault = _written(line, order, ""), str(error)[:_MOST_DETAIL]
    with c2pa.Reader(order.media_type, io.BytesIO(data), context=c2pa.Context.from_dict(_SETTINGS)) as reader:
        found = credentials_of(reader.json())
    if not (found.is_signature_valid and found.is_whole):
        return Refusal(detail="The signature does not fit the certificate.")
    return Signed(data=data, manifest=found.manifest, stamp_fault=fault)


def _written(line: _Line, order: Sign, timestamp_url: str) -> bytes:
    """The signed file.

    Raises:
        c2pa.C2paError: it could not be signed, or the authority gave no time stamp.
    """

    def seal(data: bytes) -> bytes:
        line.say(Seal(data=data))
        answer = line.hear()
        return answer.signature if isinstance(answer, Sealed) else b""

    out = io.BytesIO()
    context = c2pa.Context.from_dict(_SETTINGS)
    with (
        c2pa.Signer.from_callback(seal, c2pa.C2paSigningAlg.ES256, order.chain, timestamp_url or None) as signer,
        c2pa.Builder.from_json(order.manifest, context) as builder,
    ):
        if any(each.relationship == "parentOf" for each in order.ingredients):
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        for each in order.ingredients:
            about = {"relationship": each.relationship, "title": each.title}
            builder.add_ingredient(about, each.media_type, io.BytesIO(each.data))
        builder.sign(signer, order.media_type, io.BytesIO(order.data), out)
    return out.getvalue()


def read(data: bytes, anchors: str) -> Reading | Refusal:
    """What a file says about its origin.

    Args:
        data: the file.
        anchors: trusted root certificates in PEM; may be empty.
    """
    media_type = media_type_of(data)
    if media_type is None:
        return Refusal(fault=PictureFault.FORMAT, detail="neither PNG nor JPEG nor WebP")
    found = _read(data, media_type, anchors)
    whole = without_tail(data)
    if len(whole) < len(data) and found.credentials is not None and not found.credentials.is_whole:
        again = _read(whole, media_type, anchors)
        if again.credentials is not None and again.credentials.is_whole:
            found = msgspec.structs.replace(again, was_cut=True)
    texts = texts_in(whole)
    parameters = parameters_from(texts)
    return msgspec.structs.replace(
        found,
        fingerprint=_fingerprint(whole),
        says_ai=says_ai(texts.get("digitalsourcetype", "")) or parameters is not None,
        tool=texts.get("creatortool", ""),
    )


def _read(data: bytes, media_type: str, anchors: str) -> Reading:
    trust = {"user_anchors": anchors} if anchors else {}
    context = c2pa.Context.from_dict({**_SETTINGS, "trust": trust})
    try:
        with c2pa.Reader(media_type, io.BytesIO(data), context=context) as reader:
            return Reading(credentials=credentials_of(reader.json()), fingerprint=None)
    except c2pa.C2paError as error:
        # The class of this error has no public name.
        is_none = str(error).startswith("ManifestNotFound")
        return Reading(credentials=None, has_broken_credentials=not is_none, fingerprint=None)


def _fingerprint(data: bytes) -> Fingerprint | None:
    """The fingerprint of a picture; None if it is damaged or has too many pixels."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                return None
            return fingerprint(np.asarray(opened.convert("RGB")))
    except Exception:  # noqa: BLE001 - Pillow raises exceptions of many classes for broken files
        return None


if __name__ == "__main__":
    main()
