"""Certificates made for a test: an authority of its own, and what it vouches for."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFE = timedelta(hours=1)


class Authority:
    """An authority; `path` is its certificate as a file."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        basic = x509.BasicConstraints(ca=True, path_length=0)
        made = self._builder(self.name, self.key).add_extension(basic, critical=True).sign(self.key, hashes.SHA256())
        self.path = folder / f"{name}.crt"
        self.path.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - LIFE).not_valid_after(now + LIFE)

    def vouch(self, host: str) -> tuple[Path, Path]:
        """A certificate for this IP address, and its key, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        named = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "database")])
        made = self._builder(subject, key).add_extension(named, critical=False).sign(self.key, hashes.SHA256())
        files = self.folder / f"{host}.crt", self.folder / f"{host}.key"
        files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
        return files
