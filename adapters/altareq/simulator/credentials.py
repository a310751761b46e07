"""The simulation's own certification authority and keys, made at first use in a folder and never kept anywhere else."""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import RSAKey

CLIENT_ID: Final = "mizan-simulated-tpp"
BEGINS: Final = datetime(2020, 1, 1, tzinfo=UTC)
ENDS: Final = datetime(2049, 12, 31, tzinfo=UTC)
"""Far apart, because the clock of a simulation is not the machine's, which TLS reads."""

_DONE: Final = "complete"
_OURS: Final = ("signing", "encryption")
_THEIRS: Final = ("bank-signing", "bank-encryption")


@dataclass(frozen=True, slots=True)
class Vault:
    """The keys both sides use, as files of one folder."""

    folder: Path

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def key(self, name: str) -> RSAKey:
        return RSAKey.import_key((self.folder / f"{name}.key").read_text("ascii"), {"kid": _kid(name)})

    def server_context(self) -> ssl.SSLContext:
        """Make the context of the banks' side: without a certificate of our authority nobody gets in."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.path("server.pem"), self.path("server.pem"))
        context.load_verify_locations(self.path("ca.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def open_vault(folder: Path) -> Vault:
    """Return the folder's keys, made if there are none. Two processes may ask at once: one set wins whole."""
    if not (folder / _DONE).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = folder.with_name(f"{folder.name}.{os.getpid()}")
        _make(made)
        try:
            made.rename(folder)
        except OSError:  # another process was quicker
            for file in made.iterdir():
                file.unlink()
            made.rmdir()
    return Vault(folder)


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    authority = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mizan simulation CA")])
    ca = _builder(name, name, authority.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    ).add_extension(_usage(signs_certificates=True), critical=True).add_extension(
        x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False
    ).sign(authority, hashes.SHA256())  # fmt: skip
    _write(folder / "ca.pem", ca.public_bytes(serialization.Encoding.PEM))
    for party, purpose in (("server", ExtendedKeyUsageOID.SERVER_AUTH), ("client", ExtendedKeyUsageOID.CLIENT_AUTH)):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Mizan simulation {party}")])
        hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = _builder(subject, name, key.public_key()).add_extension(
            x509.SubjectAlternativeName(hosts), critical=False
        ).add_extension(x509.ExtendedKeyUsage([purpose]), critical=False).add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        ).add_extension(_usage(signs_certificates=False), critical=True).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False
        ).sign(authority, hashes.SHA256())  # fmt: skip
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write(folder / f"{party}.pem", private + certificate.public_bytes(serialization.Encoding.PEM))
    public = []
    for each in (*_OURS, *_THEIRS):
        rsa = RSAKey.generate_key(2048, {"kid": _kid(each)})
        _write(folder / f"{each}.key", rsa.as_pem(private=True))
        if each in _THEIRS:
            use = "enc" if each.endswith("encryption") else "sig"
            public.append({**rsa.as_dict(private=False), "kid": _kid(each), "use": use})
    _write(folder / "banks.jwks", msgspec.json.encode({"keys": public}))
    _write(folder / _DONE, b"")


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs_certificates, crl_sign=signs_certificates, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


def _kid(name: str) -> str:
    return f"simulated-{name}"


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
