"""Brokers of Apache Kafka (KRaft), run from jars: one for a stack, several to see one of them die."""

import base64
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from profuse.stack import jars, jvm
from profuse.stack.child import Process
from profuse.stack.ports import LOOPBACK
from runtime.errors import CannotRun
from schemas.topics import COPIES

_CLUSTER_ID = base64.urlsafe_b64encode(b"profuse-local-01").decode().rstrip("=")

_PROPERTIES = """\
process.roles=broker,controller
node.id={number}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
controller.quorum.voters={voters}
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={least}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={least}
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
"""


class Node(NamedTuple):
    """A broker that is a controller, too."""

    number: int
    port: int
    controller_port: int


def broker(directory: Path, port: int, controller_port: int) -> Process:
    """The only one: prepare its directory; returns what is to be run."""
    only = Node(1, port, controller_port)
    return node(directory, only, [only])


def node(directory: Path, own: Node, cluster: Sequence[Node], heap: int = 512) -> Process:
    """One of several, each with a directory of its own and so many MB."""
    directory.mkdir(parents=True, exist_ok=True)
    properties = directory / "server.properties"
    properties.write_text(_properties(directory / "data", own, cluster))
    java = jvm.java(jars.install(), heap)
    if not (directory / "data" / "meta.properties").exists():
        _format(java, properties)
    return Process(
        name="kafka" if len(cluster) == 1 else f"kafka-{own.number}",
        room="kafka",
        command=[*java, "kafka.Kafka", str(properties)],
        url=f"kafka://{LOOPBACK}:{own.port}",
    )


def _properties(data: Path, own: Node, cluster: Sequence[Node]) -> str:
    voters = ",".join(f"{each.number}@{LOOPBACK}:{each.controller_port}" for each in cluster)
    # What a broker writes down for itself outlives the death of one.
    copies = min(len(cluster), COPIES)
    return _PROPERTIES.format(**own._asdict(), host=LOOPBACK, voters=voters, data=data, copies=copies, least=max(1, copies - 1))


def _format(java: Sequence[str], properties: Path) -> None:
    command = [*java, "kafka.tools.StorageTool", "format", "--ignore-formatted"]
    command += ["--cluster-id", _CLUSTER_ID, "--config", str(properties)]
    formatted = subprocess.run(command, capture_output=True, text=True, check=False)
    if formatted.returncode:
        raise CannotRun(f"Kafka cannot use {properties.parent}: {formatted.stderr.strip().splitlines()[-1]}")
