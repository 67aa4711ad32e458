"""TLS and passwords towards Kafka, Postgres and the mail server: who is not who we meant gets nothing."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from schemas.settings import Settings
from tests.pipeline.stack import Stack
from tests.security.strict import PASSWORD, USER, Strict


def sasl(strict: Strict, **changes: Any) -> Settings:
    given = {"kafka_security": "SASL_SSL", "kafka_user": USER, "kafka_password": PASSWORD, "kafka_ca": strict.certificates.authority}
    return Settings(**{"kafka": strict.sasl, **given, **changes})


def mutual(strict: Strict, **changes: Any) -> Settings:
    shown = {"kafka_ca": strict.certificates.authority, "kafka_certificate": strict.certificates.client}
    return Settings(**{"kafka": strict.mutual, "kafka_security": "SSL", **shown, **changes})


async def brokers(settings: Settings) -> int:
    admin = AIOKafkaAdminClient(**settings.kafka_options(), request_timeout_ms=3_000)
    try:
        await admin.start()
        return len((await admin.describe_cluster())["brokers"])
    finally:
        await admin.close()


def database(strict: Strict, port: int, host: str = "localhost", mode: str = "verify-full", authority: Path | None = None) -> str:
    return f"postgresql://postgres@{host}:{port}/postgres?sslmode={mode}&sslrootcert={authority or strict.certificates.authority}"


@pytest.mark.promise("P-OPS-22")
def test_the_whole_pipeline_runs_where_every_server_is_strict(secured: Stack) -> None:
    (entry,) = secured.import_and_start([{"data": {"email": "ann@strict.test"}}]).body["result"]
    counts = secured.wait_launched(secured.last_task())

    assert "profile_id" in entry
    assert (counts["launched"], len(secured.sink.mails("ann@strict.test"))) == (1, 1)


@pytest.mark.promise("P-OPS-22")
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_kafka_lets_us_in_with_a_password(strict: Strict, mechanism: str) -> None:
    assert await brokers(sasl(strict, kafka_mechanism=mechanism)) == 1


@pytest.mark.promise("P-OPS-22")
async def test_kafka_lets_us_in_with_a_certificate(strict: Strict) -> None:
    assert await brokers(mutual(strict)) == 1


@pytest.mark.promise("P-OPS-22")
@pytest.mark.parametrize("wrong", ["password", "authority", "name", "certificate", "plain"])
async def test_kafka_and_we_part_when_something_is_wrong(strict: Strict, wrong: str) -> None:
    settings = {
        "password": sasl(strict, kafka_password="wrong"),
        "authority": sasl(strict, kafka_ca=strict.certificates.stranger),
        "name": sasl(strict, kafka=strict.sasl.replace("localhost", "127.0.0.1")),
        "certificate": mutual(strict, kafka_certificate=None),
        "plain": sasl(strict, kafka_security="SASL_PLAINTEXT"),
    }
    with pytest.raises((KafkaError, OSError)):
        await brokers(settings[wrong])


@pytest.mark.promise("P-OPS-22")
@pytest.mark.parametrize("wrong", ["authority", "name", "plain"])
async def test_postgres_and_we_part_when_something_is_wrong(strict: Strict, postgres_port: int, wrong: str) -> None:
    urls = {
        "authority": database(strict, postgres_port, authority=strict.certificates.stranger),
        "name": database(strict, postgres_port, host="127.0.0.1"),
        "plain": database(strict, postgres_port, mode="disable"),
    }
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await asyncpg.connect(**Settings(postgres=urls[wrong]).postgres_options())


@pytest.mark.parametrize("given", [{}, {"kafka_user": "me"}, {"kafka_password": "x"}])
def test_sasl_without_user_or_password_is_said_at_once(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="PROFUSE_KAFKA_USER and PROFUSE_KAFKA_PASSWORD"):
        Settings(kafka_security="SASL_SSL", **given)


def test_a_certificate_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="kafka_ca"):
        Settings(kafka_security="SSL", kafka_ca=tmp_path / "none.pem")
