"""What KEDA gets of the chart: what it follows, and how it goes there."""

from collections.abc import Mapping, Sequence

import pytest

from schemas.settings import Settings
from schemas.topics import IMPORTS
from tests.charts import ALL, Refused, of_kind, rendered

TLS = ("keda.enabled=true", "settings.kafka_security=SSL", "files=certificates")
SASL = ("keda.enabled=true", "settings.kafka_security=SASL_SSL", "settings.kafka_user=me")
AUTHORITY = "settings.kafka_ca=/etc/profuse/kafka.pem"
CLIENT = "settings.kafka_certificate=/etc/profuse/client.pem"
OF_FILES = "secrets.values.PROFUSE_POSTGRES=postgresql://me:pw@db/p?sslmode=verify-full&sslrootcert=/etc/profuse/db.pem"


def secrets(room: str, *values: str) -> Mapping[str, tuple[str, str]]:
    """The Secret and its key that each parameter is taken from."""
    given = of_kind("TriggerAuthentication", *values)[room]["spec"]["secretTargetRef"]
    return {each["parameter"]: (each["name"], each["key"]) for each in given}


def reference(room: str, *values: str) -> object:
    (trigger,) = of_kind("ScaledObject", *values)[room]["spec"]["triggers"]
    return trigger.get("authenticationRef")


@pytest.mark.promise("P-DEPLOY-05")
def test_matchers_follow_their_lag_and_launchers_what_is_overdue_and_never_to_none() -> None:
    scaled, settings = of_kind("ScaledObject", *SASL), Settings()
    (kafka,), (postgres,) = (scaled[room]["spec"]["triggers"] for room in ("matcher", "launcher"))

    assert {each["spec"]["minReplicaCount"] for each in scaled.values()} == {1}
    assert [each["spec"]["scaleTargetRef"]["name"] for each in scaled.values()] == ["p-profuse-matcher", "p-profuse-launcher"]
    assert (kafka["metadata"]["consumerGroup"], kafka["metadata"]["topic"]) == (settings.topic("matcher"), settings.topic(IMPORTS.name))
    assert (kafka["metadata"]["sasl"], kafka["metadata"]["tls"]) == ("scram_sha512", "enable")
    # Kafka 4 speaks to nobody of before 2.1.
    assert kafka["metadata"]["version"] >= "2.1"
    assert f"{settings.prefix}.launches" in postgres["metadata"]["query"]
    assert "replicas" not in of_kind("Deployment", *SASL)["matcher"]["spec"]
    assert of_kind("Deployment", *SASL)["gateway"]["spec"]["replicas"] == 2


@pytest.mark.promise("P-DEPLOY-05")
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((AUTHORITY,), {"ca": "kafka.pem"}),
        # It takes no certificate without a key, which may lie in the same file.
        ((AUTHORITY, CLIENT), {"ca": "kafka.pem", "cert": "client.pem", "key": "client.pem"}),
        ((CLIENT, "settings.kafka_key=/etc/profuse/client.key"), {"cert": "client.pem", "key": "client.key"}),
    ],
    ids=["an authority", "a certificate with its key", "a certificate and a key"],
)
def test_keda_gets_the_certificates_that_the_rooms_have(values: Sequence[str], expected: Mapping[str, str]) -> None:
    assert secrets("matcher", *TLS, *values) == {parameter: ("certificates", key) for parameter, key in expected.items()}
    assert reference("matcher", *TLS, *values) == {"name": "p-profuse-kafka"}


@pytest.mark.promise("P-DEPLOY-05")
def test_keda_gets_a_password_beside_certificates_and_nothing_where_kafka_asks_for_nothing() -> None:
    assert secrets("matcher", *SASL, "files=certificates", AUTHORITY) == {
        "password": ("profuse", "PROFUSE_KAFKA_PASSWORD"),
        "ca": ("certificates", "kafka.pem"),
    }
    for values in (TLS, (*TLS, AUTHORITY, "settings.kafka_security=PLAINTEXT")):
        assert reference("matcher", *values) is None
        assert set(of_kind("TriggerAuthentication", *values)) == {"launcher"}


@pytest.mark.promise("P-DEPLOY-05")
def test_keda_goes_to_postgres_as_the_rooms_do_or_by_a_connection_of_its_own() -> None:
    own = "keda.launcher.connection=keda-postgres"

    assert secrets("launcher", *TLS) == {"connection": ("profuse", "PROFUSE_POSTGRES")}
    # Beside a Secret that is named, the chart makes none of `secrets.values`.
    assert secrets("launcher", *TLS, OF_FILES) == {"connection": ("profuse", "PROFUSE_POSTGRES")}
    assert secrets("launcher", *TLS, own) == {"connection": ("keda-postgres", "connection")}
    assert secrets("launcher", *TLS, own, "secrets.existing=", OF_FILES) == {"connection": ("keda-postgres", "connection")}


@pytest.mark.promise("P-DEPLOY-05")
@pytest.mark.parametrize(
    "values",
    [
        (*TLS, "settings.kafka_ca=/elsewhere/kafka.pem"),
        (*TLS, AUTHORITY, "files="),
        (*TLS, "secrets.existing=", OF_FILES),
        (*TLS, "secrets.existing=", OF_FILES.replace("/etc/profuse/", "%2Fetc%2Fprofuse%2F")),
    ],
)
def test_a_file_that_keda_could_not_read_is_refused(values: Sequence[str]) -> None:
    with pytest.raises(Refused, match="KEDA"):
        rendered(*values)

    rendered(*values, "keda.enabled=false")


@pytest.mark.promise("P-DEPLOY-05")
@pytest.mark.parametrize("room", ["matcher", "launcher"])
def test_keda_alone_counts_the_rooms_that_it_follows(room: str) -> None:
    """Helm would set them back with each upgrade."""
    assert "replicas" not in of_kind("Deployment", *ALL, f"rooms.{room}.replicas=6")[room]["spec"]
