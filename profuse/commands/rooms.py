"""One process of a room in the foreground: what `up`, compose and an orchestrator start."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from profuse.commands.options import Dir
from profuse.stack.finding import directory_of, settings_of

app = typer.Typer()


# Each room is imported by its own command, so that a process loads nothing of the others.


@app.command()
def gateway(directory: Dir = None) -> None:
    """Run a gateway: HTTP in, messages out.

    Example: PROFUSE_PORT=8080 profuse gateway
    """
    from ingest.starting import NotMigrated, open_gateway
    from runtime.process import host

    host("gateway", open_gateway, settings_of(directory), fatal=(NotMigrated,))


@app.command()
def matcher(directory: Dir = None) -> None:
    """Run a matcher: messages in, profiles in Postgres.

    Example: PROFUSE_HEALTH_PORT=9091 profuse matcher
    """
    from runtime.process import host
    from workers.exactly_once import Stuck, TopicChanged
    from workers.matcher.room import open_matcher

    host("matcher", open_matcher, settings_of(directory), fatal=(Stuck, TopicChanged))


@app.command()
def launcher(directory: Dir = None) -> None:
    """Run a launcher: matched profiles in, launches out when they are due.

    Example: PROFUSE_HEALTH_PORT=9092 profuse launcher
    """
    from runtime.process import host
    from workers.exactly_once import Stuck, TopicChanged
    from workers.launcher.room import open_launcher

    host("launcher", open_launcher, settings_of(directory), fatal=(Stuck, TopicChanged))


@app.command()
def console(directory: Dir = None) -> None:
    """Run a console: pages for who runs this, at PROFUSE_CONSOLE_PORT.

    Log in with a token of `profuse console-tokens add`.

    Example: PROFUSE_CONSOLE_PORT=8090 profuse console
    """
    from profuse.console.room import open_console
    from runtime.process import host

    host("console", partial(open_console, directory=directory_of(directory)), settings_of(directory))


@app.command()
def mail_sink(
    kept_in: Annotated[Path, typer.Argument(help="Where each mail is kept as one .eml file.")],
    directory: Dir = None,
) -> None:
    """Run an SMTP server that keeps what it gets: at the address that PROFUSE_SMTP names.

    Recipients at refuses.sink.test, defers., recovers., hangs., slow., breaks. and mumbles.sink.test meet a server in trouble.

    Example: PROFUSE_SMTP=smtp://127.0.0.1:1025 profuse mail-sink mail
    """
    from profuse.stack.mail import open_mail_sink
    from runtime.process import host

    host("mail-sink", partial(open_mail_sink, directory=kept_in), settings_of(directory))
