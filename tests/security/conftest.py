"""A whole pipeline on servers that are strict, for all tests of this folder."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.pipeline.processes import run
from tests.pipeline.sink import Sink
from tests.pipeline.stack import Stack
from tests.pipeline.world import World
from tests.security.front import front
from tests.security.strict import PASSWORD, USER, Strict, strict_broker

ACCOUNT = Path(__file__).with_name("account.toml")


class Choosy(Sink):
    """Refuses some recipients, and quotes them."""

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802
        if address.startswith("refused"):
            return f"550 <{address}> is not wanted"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture(scope="session")
def strict() -> Iterator[Strict]:
    with tempfile.TemporaryDirectory(prefix="profuse-", ignore_cleanup_errors=True) as directory, strict_broker(Path(directory)) as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres_port(servers: tuple[str, str], strict: Strict) -> Iterator[int]:
    """Where the run's Postgres is reached by TLS only."""
    with front(servers[1], strict.certificates.server_context()) as port:
        yield port


@pytest.fixture(scope="session")
def secured(strict: Strict, postgres_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One process of each room; every edge takes TLS only."""
    authority, prefix = str(strict.certificates.authority), f"t{secrets.token_hex(6)}"
    postgres = f"postgresql://postgres@localhost:{postgres_port}/postgres?sslmode=verify-full&sslrootcert={authority}"
    with ExitStack() as cleanup:
        sink = _choosy(strict, cleanup)
        world = World(strict.sasl, postgres, prefix)
        cleanup.callback(world.close)
        cleanup.callback(world.rows, f'DROP SCHEMA IF EXISTS "{prefix}" CASCADE')
        environment = {
            "PROFUSE_KAFKA": strict.sasl,
            "PROFUSE_KAFKA_SECURITY": "SASL_SSL",
            "PROFUSE_KAFKA_USER": USER,
            "PROFUSE_KAFKA_PASSWORD": PASSWORD,
            "PROFUSE_KAFKA_CA": authority,
            "PROFUSE_POSTGRES": postgres,
            "PROFUSE_SMTP": f"smtp+starttls://localhost:{sink.port}",
            "PROFUSE_SMTP_CA": authority,
            "PROFUSE_PREFIX": prefix,
            "PROFUSE_PARTITIONS": "2",
        }
        stack = Stack(environment, world, sink, tmp_path_factory.mktemp("secured"), replicas=1)
        cleanup.callback(stack.stop)
        stack.start()
        run(["apply", str(ACCOUNT)], environment)
        yield stack

        assert stack.stop() == [0, 0, 0]
        assert "Traceback" not in stack.logs()


def _choosy(strict: Strict, cleanup: ExitStack) -> Sink:
    sink = Choosy()
    context = strict.certificates.server_context()
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port, tls_context=context, require_starttls=True)
    controller.start()
    cleanup.callback(controller.stop)
    return sink
