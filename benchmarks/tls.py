"""TLS: connections and handshakes of one codify task."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sandbox_server import SandboxServer

from benchmarks import workers
from benchmarks.contacts import staged_chunks
from benchmarks.figure import BrokenMeasurement, Figure
from benchmarks.place import Place


def measure(place: Place) -> list[Figure]:
    """Handshakes are counted in the task's process, connections by the server."""
    count = place.pick(500, 100)
    certificate, key = make_certificate(place.home)
    with TlsSandbox(certificate, key) as sandbox, place.ledger() as ledger:
        os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = sandbox.connection(verify=str(certificate))
        chunk = staged_chunks(ledger, count)[0]
        said = workers.run([workers.module("our_worker", json.dumps(asdict(chunk)))]).said[0]
        stats = sandbox.stats()
    if said["coded"] != count:
        raise BrokenMeasurement(f"{said['coded']} of {count} records coded over TLS")
    details = {"requests": stats["codify_calls"]}
    return [
        Figure("TLS handshakes per task", float(said["handshakes"]), "", 1, at_most=True, details=details),
        Figure("TLS connections per task", float(stats["connections"]), "", 1, at_most=True, details=details),
    ]


class TlsSandbox(SandboxServer):
    """The sandbox behind TLS."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = {"UVICORN_SSL_CERTFILE": str(certificate), "UVICORN_SSL_KEYFILE": str(key)}
        super().__init__(latency=0.0)

    def _start(self) -> subprocess.Popen[bytes]:
        self.url = self.url.replace("http://", "https://")
        self._environment |= self._files
        self._desk.verify = self._files["UVICORN_SSL_CERTFILE"]
        return super()._start()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate of 127.0.0.1 for a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return files
