"""A small time stamp authority (RFC 3161) on a local port: a real HTTP server, with certificates of its own."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from aiohttp import web
from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_POLICY: Final = "1.3.6.1.4.1.13762.3"
_GRANTED: Final = {"status": "granted"}


class Authority:
    """Answers each request with a time stamp.

    Attributes:
        url: its address.
        asked: number of requests.
        answer: what it does instead of stamping: an HTTP status, or `hang`; None stamps.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0
        self.answer: int | Literal["hang"] | None = None
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._root = self._certificate("Clock root", self._root_key, self._root_key, "Clock root")
        self._leaf = self._certificate("Clock", self._key, self._root_key, "Clock root")
        self._runner: web.AppRunner | None = None

    @property
    def anchor(self) -> str:
        """Its root certificate in PEM."""
        return self._root.public_bytes(serialization.Encoding.PEM).decode()

    async def open(self) -> None:
        """Listen."""
        application = web.Application()
        application.router.add_post("/", self._respond)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def close(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _respond(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.answer == "hang":
            await asyncio.sleep(3_600)
        if isinstance(self.answer, int):
            return web.Response(status=self.answer)
        asked = tsp.TimeStampReq.load(await request.read())
        return web.Response(body=self._stamp(asked), content_type="application/timestamp-reply")

    def _stamp(self, asked: tsp.TimeStampReq) -> bytes:
        """The answer to a request: a token that the authority's key signs."""
        about: dict[str, Any] = {
            "version": "v1",
            "policy": _POLICY,
            "message_imprint": asked["message_imprint"],
            "serial_number": self.asked,
            "gen_time": datetime.now(UTC),
        }
        if asked["nonce"].native is not None:
            about["nonce"] = asked["nonce"]
        content = tsp.TSTInfo(about)
        leaf, root = (
            asn1_x509.Certificate.load(each.public_bytes(serialization.Encoding.DER))
            for each in (self._leaf, self._root)
        )
        digest = _sha256(content.dump())
        signing = tsp.SigningCertificateV2({"certs": [tsp.ESSCertIDv2({"cert_hash": _sha256(leaf.dump())})]})
        attributes = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
                cms.CMSAttribute({"type": "message_digest", "values": [digest]}),
                cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": datetime.now(UTC)})]}),
                cms.CMSAttribute({"type": "signing_certificate_v2", "values": [signing]}),
            ]
        )
        signature = self._key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256()))
        sha256 = algos.DigestAlgorithm({"algorithm": "sha256"})
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    {
                        "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                            {"issuer": leaf.issuer, "serial_number": leaf.serial_number}
                        )
                    }
                ),
                "digest_algorithm": sha256,
                "signed_attrs": attributes,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
                "signature": signature,
            }
        )
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [sha256],
                "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(content.dump())},
                "certificates": [cms.CertificateChoices({"certificate": each}) for each in (leaf, root)],
                "signer_infos": [signer],
            }
        )
        token = cms.ContentInfo({"content_type": "signed_data", "content": signed})
        return bytes(tsp.TimeStampResp({"status": _GRANTED, "time_stamp_token": token}).dump())

    def _certificate(
        self, name: str, key: ec.EllipticCurvePrivateKey, issuer_key: ec.EllipticCurvePrivateKey, issuer: str
    ) -> x509.Certificate:
        is_root = key is issuer_key
        begins = datetime.now(UTC) - timedelta(days=20 * 365)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=40 * 365))
            .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not is_root,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=is_root,
                    crl_sign=is_root,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
        )
        if not is_root:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        return builder.sign(issuer_key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _sha256(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()
