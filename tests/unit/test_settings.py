"""Settings that would let a process spin, stall, or be refused by a server are refused themselves, by name."""

import sys

import pytest
from pydantic import SecretStr, ValidationError

from profuse.__main__ import main
from profuse.misspelling import misspelled
from schemas.settings import Settings

SENSELESS = {
    "lease": ("PT0S", "-PT5S", "P2D"),
    "accepting_lease": ("PT0S", "-PT1S"),
    "reply_deadline": ("PT0S", "PT2H"),
    "incomplete_after": ("-PT1S",),
    "retention_every": ("PT0S", "PT0.5S"),
    "claim_every": ("PT0S",),
    "client_patience": ("PT0S",),
    "session_timeout": ("PT1S", "PT1H"),
    "batch_kept": ("PT0S", "-P1D"),
    "failures_kept": ("PT0S",),
    "records_kept": ("-P1D",),
    "request_id_kept": ("PT0S",),
    "chunk": ("0", "1000000"),
    "page": ("0", "5000"),
    "claim_groups": ("0", "1000000"),
    "smtp_connections": ("100000",),
    "item_limit": ("0", "1000000"),
    "custom_data_limit": ("0", "409601", "900000"),
    "body_limit": ("0", "99999999999"),
    "attach_body_limit": ("99999999999",),
    "profiles_limit": ("0", "1000000000"),
    "in_flight_limit": ("0",),
    "connections_limit": ("0", "1000000"),
    "gateway_connections": ("0", "1000000"),
    "console_rooms": tuple(
        f'["http://gateway:9090", "{url}"]'
        for url in ("http://127.0.0.1:99999", "http://a..b:9090", "http://[", "gateway:9090", "https://gateway:9090", "http://:9090", "")
    ),
    "partitions": ("0", "1000000"),
    "replication": ("0",),
}

CUTTING = ("s3/cret", "s3#cret", "s3?cret", "12/34", "12#34", "12?34", "s3[cret")
# Of a mail server's the last @ is what counts.
CUTTING_ONE = [("POSTGRES", "s3@cret")]


@pytest.mark.promise("P-DOOR-31")
@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in SENSELESS.items() for value in values])
def test_a_senseless_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PROFUSE_{name.upper()}", value)
    with pytest.raises(ValidationError) as refused:
        Settings()

    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


@pytest.mark.promise("P-DOOR-31")
def test_the_refusal_names_the_variable_and_what_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFUSE_LEASE", "PT0S")
    monkeypatch.setattr(sys, "argv", ["profuse", "settings"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert str(ended.value).startswith("profuse: PROFUSE_LEASE: Input should be greater than or equal to 1 second")


@pytest.mark.promise("P-DOOR-31", "P-DOOR-13")
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("LINK_KEYS", "mysecretkey", "PROFUSE_LINK_KEYS must be a list in JSON"),
        ("OUTBOUND_DENY", "10.0.0.0/8", "PROFUSE_OUTBOUND_DENY must be a list in JSON"),
        ("PUBLIC_URL", "https://mail.example.com", "PROFUSE_PUBLIC_URL needs PROFUSE_LINK_KEYS"),
        ("KAFKA", "127.0.0.1:99999", "PROFUSE_KAFKA: '127.0.0.1:99999' is no server"),
        ("KAFKA", "one:9092,nonsense:", "PROFUSE_KAFKA: 'nonsense:' is no server"),
    ],
)
def test_a_setting_that_cannot_be_read_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    monkeypatch.setenv(f"PROFUSE_{name}", value)
    monkeypatch.setattr(sys, "argv", ["profuse", "settings"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert str(ended.value).startswith(f"profuse: {told}")
    assert "\n" not in str(ended.value)


@pytest.mark.promise("P-DOOR-31", "P-LAUNCH-48")
@pytest.mark.parametrize(
    "url",
    [
        *("https://почта.рф", "https://bücher.example:8443", "https://mail.example.com/", "https://mail.example.com/u", "https://a b.test"),
        *(
            "https://a>b.test",
            "https://me@a.test",
            "https://a.test?x",
            "https://a.test#x",
            "https://a.test:99999",
            "https://",
            "ftp://a.test",
        ),
        "https://" + "a" * 254,
    ],
)
def test_a_public_address_that_no_mail_can_carry_is_refused_with_how_it_is_written(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PROFUSE_PUBLIC_URL", url)
    monkeypatch.setenv("PROFUSE_LINK_KEYS", f'["{"k" * 32}"]')
    monkeypatch.setattr(sys, "argv", ["profuse", "settings"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert str(ended.value).startswith("profuse: PROFUSE_PUBLIC_URL: write https://mail.example.com, with no path")
    assert "xn--bcher-kva.example" in str(ended.value)


@pytest.mark.promise("P-DOOR-31")
@pytest.mark.parametrize(
    "url", ["", "https://mail.example.com", "http://127.0.0.1:8080", "https://[::1]:65535", "https://xn--bcher-kva.example"]
)
def test_a_public_address_is_a_host_with_or_without_its_port(url: str) -> None:
    assert Settings(public_url=url, link_keys=[SecretStr("k" * 32)]).public_url == url


@pytest.mark.promise("P-DOOR-31")
@pytest.mark.parametrize("servers", ["kafka", "kafka:9092", "[::1]:9092", "one:1, two:65535"])
def test_servers_are_named_with_or_without_their_ports(servers: str) -> None:
    assert Settings(kafka=servers).kafka == servers


@pytest.mark.promise("P-DOOR-13")
@pytest.mark.parametrize(("name", "password"), [*((name, password) for name in ("POSTGRES", "SMTP") for password in CUTTING), *CUTTING_ONE])
def test_a_password_that_cuts_its_url_is_told_in_a_line_without_it(monkeypatch: pytest.MonkeyPatch, name: str, password: str) -> None:
    scheme = {"POSTGRES": "postgresql", "SMTP": "smtp"}[name]
    monkeypatch.setenv(f"PROFUSE_{name}", f"{scheme}://me:{password}@host:5432/db")
    monkeypatch.setattr(sys, "argv", ["profuse", "settings"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert str(ended.value).startswith(f"profuse: PROFUSE_{name}: it cannot be read; write {scheme}://user:password@host:")
    assert not any(piece in str(ended.value) for piece in ("s3", "cret", "12", "34", "\n"))


@pytest.mark.promise("P-DOOR-31")
@pytest.mark.parametrize(
    "url",
    [
        *("postgresql://me@h/db", "postgres://me:a%2F%40b@h:5432/db?sslmode=verify-full", "postgresql://me:a:b@one:1,[::1]:65535/db"),
        *("postgresql:///db?host=/run/postgresql", "postgresql://h/db?user=me@there", "postgresql://%2Frun%2Fpostgresql/db"),
    ],
)
def test_postgres_is_named_as_its_driver_reads_it(url: str) -> None:
    assert Settings(postgres=url).postgres == url


@pytest.mark.promise("P-DOOR-31")
def test_a_server_on_the_same_link_may_be_named_with_its_zone() -> None:
    assert Settings(smtp="smtp://[fe80::1%25eth0]:25").smtp == "smtp://[fe80::1%25eth0]:25"


@pytest.mark.promise("P-DOOR-31")
@pytest.mark.parametrize(
    "url", ["h:5432", "host=h dbname=db", "http://h/db", "postgresql://h:0/db", "postgresql://h:99999/db", "postgresql://h/db?x"]
)
def test_what_postgres_cannot_be_found_by_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="postgresql://user:password"):
        Settings(postgres=url)


@pytest.mark.promise("P-DOOR-31")
@pytest.mark.parametrize(
    "url", ["http://gateway:9090", "http://[::1]:9090", "http://my_stack.matcher", "http://10.0.0.1:65535", "http://bücher:1"]
)
def test_rooms_that_the_console_asks_are_named_by_host_and_port(url: str) -> None:
    assert Settings(console_rooms=[url, f"{url}/"]).console_rooms == [url, url]


@pytest.mark.promise("P-DOOR-35")
def test_every_process_tells_once_of_a_variable_that_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROFUSE_BODY_LIMITS", "1")
    monkeypatch.setattr(sys, "argv", ["profuse", "settings"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert not ended.value.code
    assert capsys.readouterr().err == "profuse: PROFUSE_BODY_LIMITS is not a setting; did you mean PROFUSE_BODY_LIMIT?\n"


@pytest.mark.promise("P-DOOR-35")
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PROFUSE_LEESE", "PT1S", "PROFUSE_LEESE is not a setting; did you mean PROFUSE_LEASE?"),
        ("profuse_pages", "1", "profuse_pages is not a setting; did you mean PROFUSE_PAGE?"),
        ("PROFUSE_QQQQQQQQQ", "", "PROFUSE_QQQQQQQQQ is not a setting: `profuse settings` shows all of them"),
    ],
)
def test_a_variable_that_nobody_reads_is_told_with_the_nearest_setting(name: str, value: str, told: str) -> None:
    assert misspelled({name: value, "PROFUSE_LEASE": "PT1S"}) == [told]


@pytest.mark.promise("P-DOOR-35")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROFUSE_DIR", "."),
        ("PROFUSE_CRASH_AT", "publish"),
        ("profuse_lease", "PT1S"),
        ("LEASE", "PT1S"),
        ("PROFUSE_SERVICE_HOST", "10.0.0.1"),
        ("PROFUSE_GATEWAY_SERVICE_PORT_HTTP", "8080"),
        ("PROFUSE_GATEWAY_PORT", "tcp://10.0.0.1:8080"),
        ("PROFUSE_GATEWAY_PORT_8080_TCP_ADDR", "10.0.0.1"),
    ],
)
def test_variables_that_somebody_reads_or_an_orchestrator_sets_are_told_by_nobody(name: str, value: str) -> None:
    assert misspelled({name: value}) == []
