"""A broker that lets nobody in without TLS and a password or certificate; all certificates are made for the test."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

from profuse.stack import jars, jvm, kafka
from profuse.stack.child import Child, Process
from profuse.stack.ports import free_port
from profuse.stack.servers import await_ready

USER, PASSWORD = "profuse", "s3cret"

_LISTENERS = """
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port},STRICT://localhost:{sasl},MUTUAL://localhost:{mutual}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,STRICT:SASL_SSL,MUTUAL:SSL
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
listener.name.mutual.ssl.client.auth=required
listener.name.strict.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.strict.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.strict.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


@dataclass(frozen=True)
class Certificates:
    """PEM files: who is trusted, a stranger who is not, what servers show and what a client shows."""

    authority: Path
    stranger: Path
    server: Path
    key: Path
    keystore: Path
    client: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.server, self.key)
        return context


@dataclass(frozen=True)
class Strict:
    """The broker's two doors: one asks for a password, the other for a certificate."""

    certificates: Certificates
    sasl: str
    mutual: str


def make_certificates(directory: Path) -> Certificates:
    directory.mkdir(parents=True, exist_ok=True)
    names = ("authority", "stranger", "server", "key", "keystore", "client")
    files = Certificates(**{name: directory / f"{name}.pem" for name in names})
    authority = trustme.CA()
    # A name only, no address: whoever connects to another name is not where he wanted to be.
    server, client = authority.issue_cert("localhost"), authority.issue_cert("client.test")
    authority.cert_pem.write_to_path(files.authority)
    trustme.CA().cert_pem.write_to_path(files.stranger)
    chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
    files.server.write_bytes(chain)
    files.key.write_bytes(_pkcs8(server))
    files.keystore.write_bytes(_pkcs8(server) + chain)
    client.private_key_and_cert_chain_pem.write_to_path(files.client)
    return files


def _pkcs8(certificate: trustme.LeafCert) -> bytes:
    """The only form of a key that Kafka reads."""
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@contextmanager
def strict_broker(directory: Path) -> Iterator[Strict]:
    certificates = make_certificates(directory / "certificates")
    ports = {name: free_port() for name in ("port", "controller_port", "sasl", "mutual")}
    broker = Child(_broker(directory / "kafka", ports, certificates), directory / "kafka.log")
    try:
        await_ready(broker)
        yield Strict(certificates, f"localhost:{ports['sasl']}", f"localhost:{ports['mutual']}")
    finally:
        broker.ask_to_stop()
        broker.wait(seconds=5)


def _broker(directory: Path, ports: dict[str, int], certificates: Certificates) -> Process:
    directory.mkdir(parents=True)
    properties = directory / "server.properties"
    listeners = _LISTENERS.format(**ports, keystore=certificates.keystore, authority=certificates.authority, user=USER, password=PASSWORD)
    only = kafka.Node(1, ports["port"], ports["controller_port"])
    text = kafka._properties(directory / "data", only, [only])
    properties.write_text(text + listeners)
    scram = [f"--add-scram={kind}=[name={USER},password={PASSWORD}]" for kind in ("SCRAM-SHA-256", "SCRAM-SHA-512")]
    command = [*jvm.java(jars.install()), "kafka.tools.StorageTool", "format", "--cluster-id", kafka._CLUSTER_ID]
    subprocess.run([*command, "--config", str(properties), *scram], check=True, capture_output=True)
    process = kafka.node(directory, only, [only])
    properties.write_text(text + listeners)
    return process
