"""Keeps aside what retention deletes, so that it can be compared; and lets the database refuse some items for a while."""

from datetime import timedelta

import asyncpg

from profuse import dead_letters
from profuse.dead_letters.selection import Wanted
from runtime.errors import CannotRun
from runtime.postgres import POSTGRES_ERRORS
from schemas.settings import Settings

# What is kept of each batch, in the order in which it is copied.
SCHEMA = ("batches", "requests", "results", "launches")
_REPLAYED_WITHIN = timedelta(seconds=5)


def schema_of(prefix: str) -> str:
    return f"{prefix}_aside"


async def keep_aside(settings: Settings) -> None:
    """To be called once, before anything is sent."""
    names = {"aside": schema_of(settings.prefix), "prefix": settings.prefix}
    tables = "".join(f"CREATE TABLE {names['aside']}.{table} (LIKE {names['prefix']}.{table});" for table in SCHEMA)
    connection = await asyncpg.connect(settings.postgres, server_settings={"search_path": settings.prefix})
    try:
        await connection.execute(f"CREATE SCHEMA {names['aside']};{tables}" + _TRIGGERS.format(**names))
    finally:
        await connection.close()


async def replay_refused(settings: Settings) -> None:
    """Let the database take what it refused, replay it, and refuse again; raises `CannotRun` while a server is away."""
    await _refuse(settings, refuse=False)
    letters = await dead_letters.find(settings, Wanted(reason="refused by the database"), limit=1_000)
    again = [letter.key for letter in letters if letter.known and letter.fate in ("dead", "dead again")]
    await dead_letters.replay(settings, Wanted(keys=again), _REPLAYED_WITHIN) if again else None
    await _refuse(settings, refuse=True)


async def take_all(settings: Settings) -> None:
    """Nothing is refused any more, and what was refused is replayed."""
    await replay_refused(settings)
    await _refuse(settings, refuse=False)
    await replay_refused(settings)


async def _refuse(settings: Settings, *, refuse: bool) -> None:
    try:
        connection = await asyncpg.connect(settings.postgres, server_settings={"search_path": schema_of(settings.prefix)}, timeout=5)
        try:
            await connection.execute("UPDATE refusing SET refuses = $1", refuse, timeout=5)
        finally:
            await connection.close()
    except POSTGRES_ERRORS as error:
        raise CannotRun(f"Postgres does not answer ({error})") from error


# A batch takes its own along when it is deleted.
_TRIGGERS = """
CREATE FUNCTION {aside}.keep_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {aside}.batches SELECT OLD.*;
    INSERT INTO {aside}.results SELECT * FROM {prefix}.results WHERE batch = OLD.id;
    INSERT INTO {aside}.launches SELECT * FROM {prefix}.launches WHERE batch = OLD.id;
    RETURN OLD;
END $$;
CREATE TRIGGER keep_aside BEFORE DELETE ON {prefix}.batches FOR EACH ROW EXECUTE FUNCTION {aside}.keep_batch();

CREATE FUNCTION {aside}.keep_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {aside}.requests SELECT OLD.*;
    RETURN OLD;
END $$;
CREATE TRIGGER keep_aside BEFORE DELETE ON {prefix}.requests FOR EACH ROW EXECUTE FUNCTION {aside}.keep_request();

CREATE TABLE {aside}.refusing AS SELECT true AS refuses;
CREATE FUNCTION {aside}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT refuses FROM {aside}.refusing) THEN
        RAISE EXCEPTION 'refused for a while' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_new BEFORE INSERT ON {prefix}.profiles
    FOR EACH ROW WHEN (NEW.data ? 'refused') EXECUTE FUNCTION {aside}.refuse();
CREATE TRIGGER refuse_changed BEFORE UPDATE ON {prefix}.profiles
    FOR EACH ROW WHEN (NEW.data -> 'refused' IS DISTINCT FROM OLD.data -> 'refused') EXECUTE FUNCTION {aside}.refuse();
"""
