"""The broker's jars: exactly those of `kafka.lock`, each with its SHA-256, kept in the user's Maven cache."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import jgo
import requests
from jgo.env import LockedDependency, LockFile
from jgo.maven import Artifact, MavenContext, PythonResolver
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from runtime.errors import CannotRun

LOCK = Path(__file__).with_name("kafka.lock")

# `kafka-clients` is named because jgo's mediation may otherwise pick an older one.
_WANTED = "org.apache.kafka:kafka_2.13:4.4.0+org.apache.kafka:kafka-clients:4.4.0+org.slf4j:slf4j-simple:1.7.36"


def lock() -> None:
    """Resolve the broker's jars anew and write down what came out."""
    resolved = sorted(jgo.resolve(_WANTED), key=lambda artifact: (artifact.groupId, artifact.artifactId))
    locked = [
        LockedDependency(artifact.groupId, artifact.artifactId, artifact.version, sha256=_digest(artifact.resolve()))
        for artifact in resolved
    ]
    LockFile(locked, environment_name="kafka").save(LOCK)


def install(lock_file: Path = LOCK, context: MavenContext | None = None) -> list[Path]:
    """Download what is missing or damaged; returns the class path."""
    locked = LockFile.load(lock_file)
    context = context or MavenContext()
    artifacts = {_artifact(context, dependency): dependency.sha256 for dependency in locked.dependencies}
    missing = [artifact for artifact, sha256 in artifacts.items() if not _is_intact(_cached(artifact), sha256)]
    if missing:
        _download(missing)
        if damaged := locked.verify_checksums(context.repo_cache):
            raise CannotRun(f"A downloaded jar is not the one of {lock_file.name}: {damaged[0]}.")
    return [_cached(artifact) for artifact in artifacts]


def _artifact(context: MavenContext, dependency: LockedDependency) -> Artifact:
    return context.project(dependency.groupId, dependency.artifactId).at_version(dependency.version).artifact()


def _cached(artifact: Artifact) -> Path:
    return artifact.context.repo_cache / artifact.component.path_prefix / artifact.cached_filename


def _is_intact(path: Path, sha256: str | None) -> bool:
    return path.exists() and _digest(path) == sha256


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(missing: list[Artifact]) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TextColumn("{task.fields[jar]}"))
    with Progress(*columns) as progress, ThreadPoolExecutor(max_workers=8) as pool:
        task = progress.add_task("Apache Kafka", total=0, jar="")

        @contextmanager
        def shown(jar: str, size: int) -> Iterator[Callable[[int], None]]:
            progress.update(task, total=(progress.tasks[task].total or 0) + size, jar=jar)
            yield lambda received: progress.advance(task, received)

        resolver = PythonResolver(progress_callback=shown)
        try:
            for _ in pool.map(lambda artifact: _fetch(resolver, artifact), missing):
                pass
        except (requests.RequestException, RuntimeError) as error:
            raise CannotRun(f"Cannot download the broker's jars ({error}); try `profuse install` again.") from None


def _fetch(resolver: PythonResolver, artifact: Artifact) -> None:
    # What an interrupted download left behind would be taken for the jar.
    _cached(artifact).unlink(missing_ok=True)
    resolver.download(artifact)
