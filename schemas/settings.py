"""Every setting of every process, read once from PROFUSE_* variables."""

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, FilePath, PositiveInt, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas import server_urls
from schemas.bounds import CustomDataSize, Few, ItemSize, Kept, Lease, Many, Most, Patience, Port, Rhythm, Session, Size
from schemas.tls import client_context

KIB = 1024
MIB = 1024 * KIB
SHORTEST_KEY = 32
_SERVER = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")


class Settings(BaseSettings):
    """One frozen model for all rooms; durations are ISO 8601 (`PT30S`), sizes are bytes."""

    model_config = SettingsConfigDict(env_prefix="PROFUSE_", frozen=True)

    kafka: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, comma-separated.")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Kafka's security protocol: with SSL the broker's certificate and name are verified."
    )
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field("SCRAM-SHA-512", description="How SASL logs in to Kafka.")
    kafka_user: str = Field("", description="Kafka user, with SASL.")
    kafka_password: SecretStr = Field(SecretStr(""), description="Password of the Kafka user.")
    kafka_ca: FilePath | None = Field(None, description="PEM file of the authorities that Kafka is trusted by; empty: the system's.")
    kafka_certificate: FilePath | None = Field(None, description="PEM file of a client certificate, where Kafka asks for one.")
    kafka_key: FilePath | None = Field(None, description="PEM file of its key, unless the certificate's file holds it.")
    postgres: str = Field(
        "postgresql://postgres@127.0.0.1:5432/postgres",
        description="Postgres address (a libpq URL); with ?sslmode=verify-full&sslrootcert=FILE its certificate and name are verified. "
        "A password that it leaves out is taken from PGPASSWORD.",
    )
    smtp: str = Field(
        "smtp://127.0.0.1:1025",
        pattern=r"^(smtp|smtps|smtp\+starttls)://",
        description="SMTP server that e-mail goes out by: smtp://[user:password@]host:port; smtps:// speaks TLS at once, "
        "smtp+starttls:// insists on STARTTLS, smtp:// takes it where it is offered.",
    )
    smtp_ca: FilePath | None = Field(
        None, description="PEM file of the authorities that the mail server is trusted by; empty: the system's."
    )
    mail_domain: str = Field(
        "profuse.invalid",
        pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$",
        description="Domain of every mail's Message-ID: best one of yours, the same in all launchers, and left alone while launches wait.",
    )
    public_url: str = Field(
        "",
        description="Where readers of mails reach the gateways, as https://mail.example.com: mails of triggers with a resource get a link "
        "there by which they unsubscribe, with https also at one click in programs that know RFC 8058; empty: none.",
    )
    link_keys: list[SecretStr] = Field(
        [],
        description="Secrets that sign such links, as a JSON array, of 32 characters at least; in a rotation the new one first.",
    )
    outbound_allow: list[IPv4Network | IPv6Network] = Field(
        [], description='Networks that providers and hooks may be in, as a JSON array: ["203.0.113.0/24"]; empty: any.'
    )
    outbound_deny: list[IPv4Network | IPv6Network] = Field(
        [], description='Networks that they may never be in, whatever a name resolves to: ["10.0.0.0/8", "169.254.0.0/16"].'
    )
    outbound_ca: FilePath | None = Field(
        None, description="PEM file of the authorities that providers and hooks are trusted by; empty: the system's."
    )
    prefix: str = Field(
        "profuse", pattern=r"^[a-z][a-z0-9_]{0,39}$", description="Prefix of topics and consumer groups, and name of the Postgres schema."
    )

    host: str = Field("127.0.0.1", description="Address that the gateway, the console and the health port listen on.")
    port: Port = Field(8080, description="The gateway's API port; 0 is any free one.")
    socket_fd: int | None = Field(None, description="A listening socket that the gateway inherits instead of opening `port`.")
    console_port: Port = Field(8090, description="The console's port; 0 is any free one.")
    console_fd: int | None = Field(None, description="A listening socket that the console inherits instead of opening `console_port`.")
    console_rooms: list[str] = Field(
        [],
        description='Health addresses whose metrics the console shows, as a JSON array: ["http://gateway:9090"]; every address of a name '
        "is asked. Empty: the processes of the stack in its directory.",
    )
    health_port: Port = Field(9090, description="Port of /healthz, /readyz and /metrics; 0 is any free one.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level that is logged.")
    log_format: Literal["json", "console"] = Field("json", description="One JSON object a line, or lines for a person.")

    traces: str = Field(
        "",
        pattern=r"^(https?://[^\s/]+\S*)?$",
        description="Collector that traces go to by OTLP over HTTP, as http://collector:4318, with the extra `traces`; empty: none.",
    )
    traces_ratio: float = Field(
        0.01, ge=0, le=1, description="Share of requests that are traced, of those whose client does not say by a `traceparent` header."
    )

    partitions: Many = Field(12, description="Partitions of each topic when `profuse migrate` creates it.")
    replication: Many = Field(1, description="Replication factor of each topic when it is created; 3 in production.")

    body_limit: Size = Field(10 * MIB, description="Largest request body.")
    attach_body_limit: Size = Field(100 * MIB, description="Largest request body when `attach` is used.")
    item_limit: ItemSize = Field(256 * KIB, description="Largest item of a batch, re-encoded compactly.")
    content_limit: Size = Field(256 * KIB, description="Largest root `content`, re-encoded compactly.")
    custom_data_limit: CustomDataSize = Field(
        16 * KIB, description="Largest `custom_data`, of the root or of an item, re-encoded compactly; 400 KiB at most."
    )
    bodies_limit: PositiveInt = Field(
        256 * MIB, description="Most request bytes that a gateway holds at a time; beyond it 429 is answered."
    )
    connections_limit: Many = Field(500, description="Most client connections of a gateway; one more is answered 503.")
    client_patience: Patience = Field(
        timedelta(seconds=10), description="How long a client may take for a request's head, or stay behind 16 KiB/s in its body."
    )
    keep_alive: Patience = Field(
        timedelta(seconds=75), description="How long a client's connection stays open between requests; longer than a load balancer's own."
    )
    gateway_connections: Many = Field(10, description="Most connections that a gateway opens to Postgres.")
    profiles_limit: Most = Field(100_000, description="Most profiles in one request.")
    placeholders: list[str] = Field(
        ["null", "undefined", "nan", "none", "[object Object]"],
        description="What clients write, in any case, for a text that they do not have: no match value of a `string` field.",
    )
    reply_deadline: Lease = Field(timedelta(seconds=30), description="How long a waiting call waits before it answers 202.")
    accepting_lease: Lease = Field(
        timedelta(seconds=10), description="How long a batch stays reserved for a gateway that went silent while publishing."
    )
    in_flight_limit: Most = Field(
        200_000, description="Most profiles between the door and a matcher's commit; a request beyond it is answered 429."
    )
    token_in_flight_limit: Most = Field(
        100_000,
        description="Most profiles of one token that wait in a gateway, unless the token has its own `in_flight`; beyond it 429. "
        "Requests of at most a thousandth of it may exceed it by a tenth.",
    )
    incomplete_after: Lease = Field(timedelta(seconds=60), description="How long after that `tasks/status` calls the batch incomplete.")
    request_id_kept: Kept = Field(timedelta(hours=24), description="How long a Request-ID is remembered.")

    chunk: Many = Field(2_000, description="Most messages a worker takes into one transaction.")
    chunk_bytes: Size = Field(
        4 * MIB, description="Most bytes of messages that a worker takes into one transaction; decoded they take up to 70 times that."
    )
    chunk_items: Most = Field(50_000, description="Most items that the messages of one transaction name.")
    session_timeout: Session = Field(timedelta(seconds=8), description="Silence after which the broker gives a worker's partitions away.")
    geo: list[Path] = Field([], description='MMDB files for `detect_geo`, as a JSON array: ["city-v4.mmdb", "city-v6.mmdb"].')

    claim_every: Rhythm = Field(timedelta(milliseconds=100), description="How soon a launcher asks again for what was due.")
    claim_groups: Few = Field(
        16,
        description=(
            "Most pages of launches that a launcher works on, or as many in smaller groups; of one account, half; "
            "of one trigger an eighth, beside what takes longer than a second."
        ),
    )
    lease: Lease = Field(timedelta(seconds=30), description="How long a claimed group stays with a launcher that went silent.")
    page: Few = Field(400, description="Launches that are sent and marked together.")
    attachments_limit: PositiveInt = Field(
        256 * MIB, description="Most bytes of attachments that a launcher holds, as they are mailed; launches beyond it wait."
    )
    smtp_connections: Few = Field(
        16, description="Most connections that a launcher opens to the SMTP server; launches of one account use half of them."
    )
    http_connections: Few = Field(
        64,
        description="Most requests of one channel that a launcher has under way to providers; launches of one account use half of them, "
        "and one of its providers, where it has several, no more of these than it leaves free.",
    )
    cloud_events: bool = Field(False, description="Whether events carry the headers of CloudEvents 1.0, beside the same body.")
    launch_patience: Kept = Field(
        timedelta(hours=24), description="How long a launch that is put off by its recipient's side is tried again."
    )
    held_patience: Kept = Field(timedelta(days=7), description="How long a launch waits for a destination that takes nothing from anybody.")

    batch_kept: Kept = Field(
        timedelta(hours=24), description="How long a batch with its results and launches is kept at least; so are replayed dead letters."
    )
    failures_kept: Kept = Field(
        timedelta(days=7),
        description="How long a launch that failed can be run again: its batch is kept for so long after it, with its files.",
    )
    dead_letters_kept: Kept = Field(timedelta(days=30), description="How long a dead letter waits for its replay before it is dropped.")
    dead_letters_limit: Most = Field(
        10_000, description="Most dead letters of an account, and of nobody that is known, that are kept; beyond it the oldest are dropped."
    )
    events_kept: Kept = Field(
        timedelta(days=7), description="How long events stay on the broker, for hooks that fall behind; taken when the topic is created."
    )
    hook_patience: Kept = Field(timedelta(hours=24), description="How long a hook may fail without an end before it is paused.")
    hook_body_limit: Size = Field(MIB, description="Largest body of a hook's POST; an event that is larger is skipped.")
    hooks_bytes: Size = Field(
        64 * MIB,
        description="Most bytes of events that a hooks process holds: a quarter for the newest ones, half of it for bodies on their way, "
        "and a quarter for those that are repeated.",
    )
    records_kept: Kept = Field(timedelta(hours=24), description="How long records that are processed stay on the broker.")
    retention_every: Lease = Field(timedelta(minutes=5), description="How often what is over is deleted.")

    @field_validator("kafka")
    @classmethod
    def _servers(cls, given: str) -> str:
        for server in given.split(","):
            found = _SERVER.fullmatch(server.strip())
            if found is None or not server_urls.is_port(found["port"]):
                raise ValueError(f"{server.strip()!r} is no server: write host:port, and commas between several")
        return given

    @field_validator("postgres")
    @classmethod
    def _postgres(cls, given: str) -> str:
        return server_urls.postgres(given)

    @field_validator("smtp")
    @classmethod
    def _smtp(cls, given: str) -> str:
        return server_urls.smtp(given)

    @field_validator("public_url")
    @classmethod
    def _public(cls, given: str) -> str:
        return server_urls.public(given) if given else given

    @field_validator("console_rooms")
    @classmethod
    def _rooms(cls, given: list[str]) -> list[str]:
        return [server_urls.room(url) for url in given]

    @model_validator(mode="after")
    def _logs_in(self) -> Self:
        if self.kafka_security.startswith("SASL") and not (self.kafka_user and self.kafka_password.get_secret_value()):
            raise ValueError(f"KAFKA_SECURITY {self.kafka_security} needs PROFUSE_KAFKA_USER and PROFUSE_KAFKA_PASSWORD")
        if self.public_url and not self.link_keys:
            raise ValueError("PUBLIC_URL needs PROFUSE_LINK_KEYS, or anybody could unsubscribe anybody")
        if any(len(key) < SHORTEST_KEY for key in self.signing_keys()):
            raise ValueError(f"LINK_KEYS: a key of less than {SHORTEST_KEY} characters could be guessed")
        return self

    def signing_keys(self) -> list[str]:
        """The first one signs links; all are known."""
        return [key.get_secret_value() for key in self.link_keys]

    def topic(self, name: str) -> str:
        """A topic's or consumer group's name on the broker."""
        return f"{self.prefix}.{name}"

    def kept(self, setting: str) -> timedelta | None:
        """What a setting of that name says, for topics that have one."""
        return getattr(self, setting) if setting else None

    def kafka_options(self) -> dict[str, Any]:
        """What every Kafka client is built with."""
        options: dict[str, Any] = {"bootstrap_servers": self.kafka, "client_id": self.prefix, "security_protocol": self.kafka_security}
        if self.kafka_security.endswith("SSL"):
            options["ssl_context"] = client_context(self.kafka_ca, self.kafka_certificate, self.kafka_key)
        if self.kafka_security.startswith("SASL"):
            options["sasl_mechanism"] = self.kafka_mechanism
            options["sasl_plain_username"] = self.kafka_user
            options["sasl_plain_password"] = self.kafka_password.get_secret_value()
        return options

    def postgres_options(self) -> dict[str, Any]:
        """What every Postgres connection is opened with.

        A process frozen in mid-transaction would otherwise hold its rows for as long as it is frozen.
        """
        return {
            "dsn": self.postgres,
            "server_settings": {
                "search_path": self.prefix,
                "timezone": "UTC",
                # An answer means that it is on disk, whatever the server, database or role says by default.
                "synchronous_commit": "on",
                "idle_in_transaction_session_timeout": "5s",
                "transaction_timeout": "30s",
                "lock_timeout": "5s",
                "tcp_keepalives_idle": "5",
                "tcp_keepalives_interval": "2",
                "tcp_keepalives_count": "3",
            },
        }
