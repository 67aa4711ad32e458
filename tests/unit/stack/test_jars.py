"""Only the jars that the lock names are ever run."""

import hashlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from jgo.env import LockedDependency, LockFile
from jgo.maven import MavenContext

from profuse.stack import jars
from runtime.errors import CannotRun

JAR = b"the jar that was locked"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[MavenContext]:
    """A repository that holds one jar, and an empty cache."""
    served = tmp_path / "served"
    (served / "org/one/1").mkdir(parents=True)
    (served / "org/one/1/one-1.jar").write_bytes(JAR)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=served)) as server:
        Thread(target=server.serve_forever).start()
        yield MavenContext(repo_cache=tmp_path / "cache", remote_repos={"served": f"http://127.0.0.1:{server.server_port}"})
        server.shutdown()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "one.lock"
    LockFile([LockedDependency("org", "one", "1", sha256=hashlib.sha256(JAR).hexdigest())]).save(path)
    return path


def test_a_damaged_jar_is_downloaded_again(context: MavenContext, lock: Path) -> None:
    (jar,) = jars.install(lock, context)
    jar.write_bytes(JAR[:5])
    jars.install(lock, context)

    assert jar.read_bytes() == JAR


def test_a_jar_that_is_not_the_locked_one_is_refused(context: MavenContext, lock: Path, tmp_path: Path) -> None:
    (tmp_path / "served/org/one/1/one-1.jar").write_bytes(b"another jar")

    with pytest.raises(CannotRun, match=r"not the one of one\.lock"):
        jars.install(lock, context)


def test_a_jar_that_is_there_needs_no_repository(context: MavenContext, lock: Path) -> None:
    installed = jars.install(lock, context)
    away = MavenContext(repo_cache=context.repo_cache, remote_repos={})

    assert jars.install(lock, away) == installed


def test_the_lock_names_no_place() -> None:
    assert "://" not in jars.LOCK.read_text()
