"""The certificate of the NATS server. Hosts know its print, so nobody has to vouch for it."""

import datetime as dt
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.link.pinning import print_of

_VALID: Final = dt.timedelta(days=3_650)


def make_certificate(certificate: Path, key: Path) -> None:
    """Write a self-signed certificate and its key, which only the owner of the file may read.

    Raises:
        OSError: the files cannot be written.
    """
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Easel hosts")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _VALID)
        .sign(private, hashes.SHA256())
    )
    key.touch(mode=0o600)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def print_of_file(certificate: Path) -> str:
    """SHA-256 of a certificate, in hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no certificate.
    """
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    return print_of(loaded.public_bytes(serialization.Encoding.DER))
