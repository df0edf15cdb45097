"""Keys and certificates of the signature: a root that is moved off the machine, and a key with its certificate.

c2pa takes a certificate for signing only with the purpose `emailProtection`. A signature without a time stamp ends with
its certificate, so both last for many years.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.messages import SEALED_BYTES

ROOT_YEARS: Final = 25
LEAF_YEARS: Final = 10
_YEAR: Final = timedelta(days=365)
_CURVE: Final = ec.SECP256R1()
_PEM: Final = serialization.Encoding.PEM
_LONGEST_NAME: Final = 64
"""Most characters of an organization in a certificate (X.520)."""


class KeyUnusable(Exception):
    """A key or a certificate cannot be used; the text is one sentence that names the file."""


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """The key that signs pictures, and its certificates in PEM: its own first, its root last."""

    private: ec.EllipticCurvePrivateKey
    chain: str
    certificate: x509.Certificate

    def seal(self, data: bytes) -> bytes:
        """The signature of some bytes: r and s of ECDSA over P-256 with SHA-256, 32 bytes each."""
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        half = SEALED_BYTES // 2
        return r.to_bytes(half, "big") + s.to_bytes(half, "big")

    @property
    def serial(self) -> str:
        """Serial number of the certificate, in decimal digits."""
        return str(self.certificate.serial_number)

    @property
    def anchor(self) -> str:
        """The root certificate in PEM."""
        return _pem(x509.load_pem_x509_certificates(self.chain.encode())[-1])


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """A root key, which signs certificates, and its own certificate."""

    private: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, organization: str, now: datetime) -> "Root":
        """A new root.

        Raises:
            KeyUnusable: the organization is empty or too long.
        """
        if not 0 < len(organization.strip()) <= _LONGEST_NAME:
            raise KeyUnusable(f"A certificate names an organization of 1 to {_LONGEST_NAME} characters; give another.")
        private = ec.generate_private_key(_CURVE)
        name = _name(organization.strip(), "Easel root")
        certificate = (
            _certificate(name, name, private.public_key(), now, ROOT_YEARS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(private.public_key()), critical=False)
            .sign(private, hashes.SHA256())
        )
        return cls(private=private, certificate=certificate)

    @classmethod
    def read(cls, file: Path, passphrase: str) -> "Root":
        """Read what `as_pem` wrote.

        Raises:
            KeyUnusable: the file is missing or of another kind, or the passphrase is wrong.
        """
        data = _bytes_of(file)
        try:
            private = serialization.load_pem_private_key(data, passphrase.encode())
            certificate = x509.load_pem_x509_certificate(data)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyUnusable(f"The root key {file} cannot be read; check the passphrase.") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise KeyUnusable(f"The file {file} holds another kind of key; name the root key of `provenance init`.")
        return cls(private=private, certificate=certificate)

    def as_pem(self, passphrase: str) -> bytes:
        """The encrypted key and the certificate."""
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
        key = self.private.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, encryption)
        return key + self.certificate.public_bytes(_PEM)

    def issue(self, now: datetime) -> SigningKey:
        """A new signing key with its certificate."""
        private, issuer = ec.generate_private_key(_CURVE), self.private.public_key()
        organization = organization_of(self.certificate)
        certificate = (
            _certificate(_name(organization, "Easel"), self.certificate.subject, private.public_key(), now, LEAF_YEARS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
            .sign(self.private, hashes.SHA256())
        )
        return SigningKey(private=private, chain=_pem(certificate) + _pem(self.certificate), certificate=certificate)


def read_key(key_file: Path, chain_file: Path, now: datetime) -> SigningKey:
    """Read the signing key and its certificates.

    Raises:
        KeyUnusable: a file is missing or damaged, the two do not fit together, or the certificate has run out.
    """
    try:
        private = serialization.load_pem_private_key(_bytes_of(key_file), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(
            f"The key {key_file} (provenance.key_file) is damaged; `easel provenance rotate` makes a new one."
        ) from error
    try:
        chain = x509.load_pem_x509_certificates(_bytes_of(chain_file))
    except ValueError as error:
        raise KeyUnusable(f"The certificates {chain_file} (provenance.chain_file) are damaged.") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise KeyUnusable(f"The key {key_file} (provenance.key_file) is none of the curve P-256.")
    if private.public_key() != chain[0].public_key():
        raise KeyUnusable(f"The key {key_file} and the certificates {chain_file} do not belong together.")
    if not chain[0].not_valid_before_utc <= now <= chain[0].not_valid_after_utc:
        raise KeyUnusable(
            f"The certificate {chain_file} held until {chain[0].not_valid_after_utc:%Y-%m-%d}; "
            "`easel provenance rotate` makes a new one."
        )
    return SigningKey(private=private, chain="".join(map(_pem, chain)), certificate=chain[0])


def read_anchors(file: Path) -> str:
    """Certificates of others in PEM.

    Raises:
        KeyUnusable: the file has none.
    """
    try:
        found = x509.load_pem_x509_certificates(_bytes_of(file))
    except ValueError as error:
        raise KeyUnusable(f"The file {file} holds no certificates in PEM.") from error
    return "".join(map(_pem, found))


def serial_in(chain_file: Path, root: Root) -> str:
    """Serial number of the first certificate of a file, in decimal digits.

    Raises:
        KeyUnusable: the file has none, or it does not lead to the root.
    """
    chain = x509.load_pem_x509_certificates(read_anchors(chain_file).encode())
    if chain[-1] != root.certificate:
        raise KeyUnusable(f"The certificates {chain_file} come from another root; name the root key that made them.")
    return str(chain[0].serial_number)


def write_key(key: SigningKey, key_file: Path, chain_file: Path) -> None:
    """Write a signing key, which only its owner may read, and its certificates.

    Raises:
        OSError: a file cannot be written.
    """
    private = key.private.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_secret(key_file, private)
    partial = chain_file.with_name(f".{chain_file.name}.new")
    partial.write_text(key.chain, encoding="ascii")
    partial.replace(chain_file)


def write_secret(file: Path, data: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.new")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
    partial.replace(file)


def organization_of(certificate: x509.Certificate) -> str:
    """The organization that a certificate names; empty if it names none."""
    found = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else ""


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise KeyUnusable(f"The file {file} cannot be read: {error.strerror}.") from error


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(_PEM).decode("ascii")


def _name(organization: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, years: int
) -> x509.CertificateBuilder:
    begins = now.astimezone(UTC) - timedelta(hours=1)  # clocks of those who verify may be late
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(now.astimezone(UTC) + years * _YEAR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
