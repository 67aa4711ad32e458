"""The Helm chart as a cluster would get it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from profuse.stack import wanted
from tests.programs import program

CHART = Path(__file__).parents[1] / "deploy" / "helm" / "profuse"
ROOMS = wanted.ROOMS
# Everything that can be switched on.
ALL = (
    *("keda.enabled=true", "monitoring.podMonitor=true", "monitoring.alarms=true", "monitoring.dashboards=true"),
    *("networkPolicy.enabled=true", 'networkPolicy.health=[{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]'),
    *("ingress.enabled=true", "ingress.tls=certificate", "ingress.className=nginx", "migrate.refile=true"),
    *("settings.kafka_security=SASL_SSL", "settings.kafka_user=me", "settings.body_limit=268435456", 'settings.geo=["/geo/a.mmdb"]'),
    *("secrets.existing=", "secrets.values.PROFUSE_POSTGRES=postgresql://me:p%22w@db/p", "serviceAccountName=me"),
    *("files=certificates", "settings.kafka_ca=/etc/profuse/kafka.pem"),
    *('imagePullSecrets=[{"name": "registry"}]', 'podAnnotations={"a/b": "c"}', 'nodeSelector={"disk": "fast"}'),
)

Resource = Mapping[str, Any]


class Refused(Exception):
    """Helm does not take these values."""


def helm(*arguments: str) -> str:
    tool = program("helm")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stdout + done.stderr)
    return done.stdout


def rendered(*values: str) -> str:
    """What `helm template` makes of values like `keda.enabled=true`; other than text they are JSON."""
    return _rendered(values)


@cache
def _rendered(values: Sequence[str]) -> str:
    return helm("template", "p", str(CHART), "--namespace", "here", *(f"--set-json={each}" for each in map(_as_json, values)))


def resources(*values: str) -> list[Resource]:
    return [each for each in yaml.safe_load_all(rendered(*values)) if each]


def of_kind(kind: str, *values: str) -> dict[str, Resource]:
    """By the room that they are for."""
    return {each["metadata"]["labels"]["app.kubernetes.io/component"]: each for each in resources(*values) if each["kind"] == kind}


def pod(resource: Resource) -> Resource:
    found: Resource = resource["spec"]["template"]["spec"]
    return found


def container(resource: Resource) -> Resource:
    (found,) = pod(resource)["containers"]
    return found  # type: ignore[no-any-return]  # it comes from YAML


def environment(resource: Resource) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(resource)["env"]}


def _as_json(value: str) -> str:
    name, _, given = value.partition("=")
    try:
        json.loads(given)
    except ValueError:
        given = json.dumps(given)
    return f"{name}={given}"
