"""Parcels: large words that lie in a host's bucket of the object store until they are fetched.

A bucket has a bound on its size and forgets by itself, so that a broker's disk never fills because a host or the bot is
away. Who has put a parcel there can put it there again.
"""

import base64
import hashlib
from typing import Final

from nats.errors import Error
from nats.js import JetStreamContext, api, errors
from nats.js.object_store import OBJ_CHUNKS_PRE_TEMPLATE, OBJ_STREAM_TEMPLATE, ObjectStore

from pipeline.link.subjects import bucket_of

KEPT_S: Final = 3_600
"""Seconds after which a parcel is forgotten."""
BUCKET_BYTES: Final = 256 << 20
"""Greatest size of a host's bucket. The server reserves it on its disk's account."""
_CHUNK_BYTES: Final = 512 * 1024
"""With the library's 128 KiB, each of which is acknowledged, six megabytes take half a second."""


class ParcelLost(Exception):
    """The bucket has no such parcel, or it cannot be read; the message is a sentence."""


class ParcelRefused(Exception):
    """The bucket takes no parcel now; the message is a sentence."""


async def make_bucket(streams: JetStreamContext, host: str) -> None:
    """Make a host's bucket, if there is none. Only the bot may.

    Raises:
        ParcelRefused: the server makes none.
    """
    try:
        await streams.create_object_store(
            bucket_of(host), config=api.ObjectStoreConfig(ttl=KEPT_S, max_bytes=BUCKET_BYTES)
        )
    except errors.BadRequestError:  # it exists with other settings, those of an earlier version
        return
    except Error as error:
        raise ParcelRefused(f"The object store makes no bucket ({error}).") from error


async def delete_bucket(streams: JetStreamContext, host: str) -> None:
    """Delete a host's bucket, if there is one."""
    try:
        await streams.delete_object_store(bucket_of(host))
    except errors.NotFoundError:
        return


async def put(streams: JetStreamContext, host: str, name: str, body: bytes) -> None:
    """Put a parcel into a host's bucket.

    Raises:
        ParcelRefused: the bucket is full, or was not reached.
    """
    meta = api.ObjectMeta(name=name, options=api.ObjectMetaOptions(max_chunk_size=_CHUNK_BYTES))
    try:
        await _store(streams, host).put(name, body, meta)
    except Error as error:
        raise ParcelRefused(f"The object store takes no parcel ({error or type(error).__name__}).") from error


async def fetch(streams: JetStreamContext, host: str, name: str) -> bytes:
    """The content of a parcel. Chunks are read one by one, since a host may not create consumers.

    Raises:
        ParcelLost: there is none, or it is broken.
    """
    stream = OBJ_STREAM_TEMPLATE.format(bucket=bucket_of(host))
    try:
        info = await _store(streams, host).get_info(name)
        subject = OBJ_CHUNKS_PRE_TEMPLATE.format(bucket=bucket_of(host), obj=info.nuid)
        body, after = bytearray(), 0
        while len(body) < (info.size or 0):
            found = await streams.get_msg(stream, seq=after + 1, subject=subject, next=True)
            body += found.data or b""
            after = found.seq or 0
    except Error as error:
        raise ParcelLost(f"There is no parcel {name} ({error or type(error).__name__}).") from error
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode()
    if info.digest != f"SHA-256={digest}":
        raise ParcelLost(f"The parcel {name} is not what was put there.")
    return bytes(body)


async def discard(streams: JetStreamContext, host: str, name: str) -> None:
    """Remove a parcel, if it is there. One that stays is forgotten by itself."""
    try:
        await _store(streams, host).delete(name)
    except Error:
        return


def _store(streams: JetStreamContext, host: str) -> ObjectStore:
    """A host's bucket. The library's own way asks the server each time whether it is there."""
    bucket = bucket_of(host)
    return ObjectStore(bucket, OBJ_STREAM_TEMPLATE.format(bucket=bucket), streams)
