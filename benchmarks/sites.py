"""The servers that are measured, a seeded portal as `portal serve` runs it and the bare page, and their visitors."""

import contextlib
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask

from benchmarks.seeding import PASSWORD, Seeded, seed
from portal.app import create_app
from portal.rooms.models import Role
from portal.settings import Settings
from tests import servers
from tests.cast import csrf_of

WORKERS = 2
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
RATE = "1000000000 per minute"
"""What a program may ask: so much that the limit is judged, as it always is, and never reached."""
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
        self.open("/manage/rooms")
        return self

    def follow(self, link: str) -> "Browser":
        """Follow a link up to the join page."""
        status, location, text = self.open(link)
        assert status == HTTPStatus.SEE_OTHER, text
        self.open(location)
        return self

    def request(self, method: str, path: str, fields: dict[str, Any] | None = None) -> str:
        """The request as it goes over the wire: fields are a form's, or a program's JSON."""
        kind, body = self.body(fields)
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Accept-Encoding: {ACCEPTED}"]
        lines += [f"{name}: {value}" for name, value in self.credential.items()]
        if body:
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
    """A portal with its rooms, the bare page on the same database, and the same app in this process."""

    portal: servers.Portal
    bare_port: int
    seeded: Seeded
    app: Flask
    """An app in this process on the portal's database, for counting statements."""
    owner: Browser
    member: Browser
    staff: Browser
    guests: list[Browser]
    coded: list[Browser]
    program: Browser
    """A program of the owner's."""

    @property
    def port(self) -> int:
        """The port on which the portal listens."""
        return self.portal.port


@contextlib.contextmanager
def site(folder: Path, *, database: str, redis: str, rooms: int) -> Iterator[Site]:
    """Seed an empty database, and serve the portal and the bare page from it."""
    environment = {"DATABASE_URL": database, "REDIS_URL": redis, "API_RATE": RATE}
    portal = servers.Portal(folder, workers=WORKERS, environment=environment)
    app = create_app(
        Settings(
            data=folder,
            database_url=database,
            redis_url=redis,
            secret_keys=(servers.SECRET_KEY,),  # type: ignore[arg-type]
            password_hash_memory=64,
            base_url=portal.address,
            api_rate=RATE,
        )
    )
    seeded = seed(app, rooms)
    bare_port = servers.free_port()
    bare = [sys.executable, "-m", "benchmarks.bare"]
    bare += [str(bare_port), str(WORKERS), database, str(seeded.rooms[0].uuid)]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "bare.txt").open("wb") as log:
        process = subprocess.Popen(bare, stdout=log, stderr=log)
    try:
        portal.start()
        servers.wait_for(lambda: _answers(bare_port), what="the bare page's start")
        yield Site(
            portal,
            bare_port,
            seeded,
            app,
            owner=Browser(portal.port).sign_in("alice"),
            member=Browser(portal.port).sign_in("bob"),
            staff=Browser(portal.port).sign_in("admin"),
            guests=[Browser(portal.port).follow(link) for link in seeded.links[Role.GUEST]],
            coded=[Browser(portal.port).follow(link) for link in seeded.links[Role.ATTENDEE]],
            program=Browser(portal.port, bearer=seeded.access_token),
        )
    finally:
        portal.stop()
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        return Browser(port).open("/")[0] == HTTPStatus.OK
    except OSError:
        return False
