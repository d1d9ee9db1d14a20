"""The servers that are measured, a seeded portal as `portal serve` runs it and the plain ones, and their visitors."""

import contextlib
import http.client
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from http.cookies import SimpleCookie
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Flask, Response

from benchmarks.seeding import PASSWORD, Seeded, seed
from portal.app import create_app
from portal.edge import admission_cookie
from portal.rooms.models import Room
from portal.settings import Settings
from tests import servers
from tests.cast import csrf_of

WORKERS = 2
CONNECTIONS = 16
"""Of the load generator."""
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
PEOPLE = "6,100000"
"""MESH_PEOPLE: so many come into one room that a conversation between browsers would be full."""
RATE = "1200 per minute"
"""What one program may ask: more than each of the measured ones does, and of an ordinary size."""
CONNECTIONS_OF_ONE = "12000"
"""Of each process: enough for 10,000 watchers, if there is but one."""
ACCEPTED = "gzip, deflate, br, zstd"


@dataclass
class Browser:
    """A visitor: keeps cookies and a CSRF token, or a program's access token, and writes requests to send."""

    port: int
    bearer: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def open(self, path: str, fields: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Send one request. Returns its status, where it redirects to, and its text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Cookie": self.cookie}
        body = None
        if fields is not None:
            headers["Content-Type"], body = FORM, urlencode({"csrf_token": self.csrf, **fields})
        connection.request("GET" if fields is None else "POST", path, body, headers)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        text = answer.read().decode()
        connection.close()
        if "csrf_token" in text:
            self.csrf = csrf_of(text)
        return answer.status, answer.headers.get("Location", ""), text

    @property
    def cookie(self) -> str:
        """The value of the header `Cookie`."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    @property
    def credential(self) -> dict[str, str]:
        """The headers that authenticate: a bearer token for a program, else the cookies."""
        if self.bearer:
            return {"Authorization": f"Bearer {self.bearer}"}
        return {"Cookie": self.cookie} if self.cookies else {}

    def sign_in(self, name: str) -> "Browser":
        """Sign in as one of the people of the seeded portal."""
        self.open("/sign-in")
        status, _, text = self.open("/sign-in", {"email": f"{name}@bench.example", "password": PASSWORD})
        assert status == HTTPStatus.SEE_OTHER, text
        self.open("/manage/rooms/new")
        return self

    def request(self, method: str, path: str, fields: dict[str, Any] | None = None) -> str:
        """The request as it goes over the wire: fields are a form's, or a program's JSON."""
        kind, body = self.body(fields)
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Accept-Encoding: {ACCEPTED}"]
        lines += [f"{name}: {value}" for name, value in self.credential.items()]
        if fields is not None:
            lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", body])

    def body(self, fields: dict[str, Any] | None) -> tuple[str, str]:
        """The content type and the body for these fields, all of it ASCII."""
        if fields is None:
            return "", ""
        if self.bearer:
            return JSON, json.dumps(fields)
        return FORM, urlencode({"csrf_token": self.csrf, **fields})


@dataclass
class Site:
    """A portal with its rooms, the plain servers on the same database, and the same app in this process."""

    portal: servers.Portal
    seeded: Seeded
    app: Flask
    """An app in this process on the portal's database: for counting statements, and for signing visitors' cookies."""
    bare_port: int
    reference_port: int
    plain_pids: dict[int, int]
    """The first process of each of the plain servers, by its port."""
    database_pid: int | None
    """PostgreSQL's first process; None for SQLite, which works in the portal's processes."""
    owner: Browser
    member: Browser
    staff: Browser
    programs: list[Browser]
    """Programs of the owner's."""
    makers: list[Browser]
    """Some of the small owners, each with an account of their own."""
    maker_programs: list[Browser]

    @property
    def port(self) -> int:
        """The port on which the portal listens."""
        return self.portal.port

    @property
    def pid(self) -> int:
        """The portal's first process."""
        assert self.portal.process is not None
        return self.portal.process.pid

    def roots(self, port: int) -> list[int]:
        """The first processes of whatever works for the server on this port: its own, and PostgreSQL's."""
        database = [self.database_pid] if self.database_pid is not None else []
        return [self.plain_pids.get(port, self.pid), *database]

    def device(self, room: Room, token_uuid: UUID, last_name: str = "") -> Browser:
        """A browser that has never entered this room and has just followed this link; its cookie is made here."""
        cookie = replace(admission_cookie.by_link(None, token_uuid), last_name=last_name)
        with self.app.test_request_context():
            response = admission_cookie.write(Response(), room.id, cookie)
            proof = admission_cookie.proof(cookie, room.id)
        cookies = {name: morsel.value for name, morsel in SimpleCookie(response.headers["Set-Cookie"]).items()}
        return Browser(self.port, cookies=cookies, csrf=proof)

    def send_out(self) -> None:
        """End what runs in the owner's rooms, so that no sweep misses people while others are measured."""
        for room in self.seeded.rooms:
            status, _, text = self.owner.open(f"/manage/rooms/{room.id}/ending", {})
            assert status == HTTPStatus.SEE_OTHER, text


_number = count()


@dataclass(frozen=True)
class Servers:
    """The addresses of PostgreSQL and of Redis, and PostgreSQL's first process; or none, for SQLite without Redis."""

    postgres: str = ""
    redis: str = ""
    postmaster: int | None = None

    def new_database(self, folder: Path) -> str:
        """The address of an empty database."""
        return servers.new_database(self.postgres) if self.postgres else f"sqlite:///{folder / 'foyer.db'}"

    def numbered_redis(self, number: int) -> str:
        """The address of one of Redis's databases."""
        return f"{self.redis.rpartition('/')[0]}/{number}" if self.redis else ""


@contextlib.contextmanager
def site(
    parent: Path, server: Servers, *, rooms: int, makers: int, desk: bool, sampled: bool = False
) -> Iterator[Site]:
    """Seed a new database, and serve the portal and the plain servers from it.

    Each is served by two processes, without Redis by one. A `sampled` portal has one, too, and tells what its time goes
    to.
    """
    folder, redis = Path(tempfile.mkdtemp(dir=parent)), server.numbered_redis(next(_number))
    database, workers = server.new_database(folder), WORKERS if redis and not sampled else 1
    environment = {
        "DATABASE_URL": database,
        "API_RATE": RATE,
        "MESH_PEOPLE": PEOPLE,
        "CONNECTIONS": CONNECTIONS_OF_ONE,
        **({"REDIS_URL": redis} if redis else {}),
    }
    module = "benchmarks.sampled" if sampled else "portal.cli"
    portal = servers.Portal(folder, workers=workers, environment=environment, module=module)
    app = create_app(
        Settings(
            data=folder,
            database_url=database,
            redis_url=redis,
            secret_keys=(servers.SECRET_KEY,),  # type: ignore[arg-type]
            password_hash_memory=64,
            base_url=portal.address,
            api_rate=RATE,
            mesh_people=PEOPLE,  # type: ignore[arg-type]
        )
    )
    seeded = seed(app, rooms, makers, desk=desk)
    with contextlib.ExitStack() as running:
        plain = {
            kind: running.enter_context(_plain(kind, folder, workers, database, seeded))
            for kind in ("bare", "reference")
        }
        running.callback(portal.stop)
        portal.start()  # all start at the same time
        for kind, (port, _pid) in plain.items():
            servers.wait_for(partial(_answers, port), what=f"the start of the {kind} pages")
        yield Site(
            portal,
            seeded,
            app,
            plain["bare"][0],
            plain["reference"][0],
            dict(plain.values()),
            server.postmaster,
            owner=Browser(portal.port).sign_in("alice"),
            member=Browser(portal.port).sign_in("bob"),
            staff=Browser(portal.port).sign_in("admin"),
            programs=[Browser(portal.port, bearer=token) for token in seeded.programs],
            makers=[Browser(portal.port).sign_in(maker.name) for maker in seeded.makers[:CONNECTIONS]],
            maker_programs=[Browser(portal.port, bearer=maker.access_token) for maker in seeded.makers[:CONNECTIONS]],
        )


@contextlib.contextmanager
def _plain(kind: str, folder: Path, workers: int, database: str, seeded: Seeded) -> Iterator[tuple[int, int]]:
    """One of the servers of `benchmarks.plain`; as it starts; its port, and the id of its first process."""
    port = servers.free_port()
    command = [sys.executable, "-m", "benchmarks.plain", kind, str(port), str(workers), database]
    with (folder / f"{kind}.txt").open("wb") as log:
        process = subprocess.Popen([*command, str(seeded.rooms[0].uuid), str(folder / "files")], stdout=log, stderr=log)
    try:
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        return Browser(port).open("/")[0] in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}
    except OSError:
        return False
