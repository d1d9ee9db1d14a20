"""The commands as people type them: real processes, real files."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
import requests
from flask import request

from portal.app import create_app
from tests import servers
from tests.conftest import settings_for
from tests.servers import Portal, free_port, wait_for

CUSTOMER = ("customer", "create", "--name", "Acme", "--owner-email", "eva@example.org", "--owner-name", "Eva")
CLIENT = ("client", "create", "--name", "Timetable", "--user", "alice@demo.example", "--json")


@contextmanager
def demo(data: Path, port: int, **environment: str) -> Iterator[str]:
    """`portal demo` with nothing set; what it printed by the time it served."""
    out = data.with_suffix(".out")
    with out.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.cli", "demo"],
            env={"PATH": os.environ["PATH"], "PORT": str(port), "DATA": str(data), **environment},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        portal = Portal(data, port)
        wait_for(lambda: portal.ready() or process.poll() is not None, seconds=60, what="the demo's start")
        assert process.poll() is None, out.read_text()
        yield out.read_text()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(15)


def _page(address: str) -> str:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(address, timeout=10) as answer:
        return str(answer.read().decode())


def test_the_demo_serves_a_furnished_portal_and_keeps_it(tmp_path: Path) -> None:
    data, port = tmp_path / "world", free_port()
    with demo(data, port) as printed:
        assert f"http://127.0.0.1:{port}" in printed
        assert "alice@demo.example" in printed
        assert "demo-demo-demo" in printed
        links = [word for word in printed.split() if "?token=" in word]
        assert len(links) == 3
        assert "Your name" in _page(links[0])
    assert (data / "secret.key").stat().st_mode & 0o077 == 0
    with demo(data, port) as printed:
        assert [word for word in printed.split() if "?token=" in word] == links
        assert "Your name" in _page(links[0])


def test_the_other_commands_reach_the_demo_s_world_by_its_folder(tmp_path: Path) -> None:
    data, port = tmp_path / "instance", free_port()
    with demo(data, port):
        made = run(data, *CLIENT, SECRET_KEYS="")
        client = json.loads(made.stdout)
        answer = requests.post(
            f"http://127.0.0.1:{port}/oauth/token",
            auth=(client["client_id"], client["client_secret"]),
            data={"grant_type": "client_credentials"},
            timeout=10,
        )
        assert answer.status_code == 200
    assert "ok   secret key" in run(data, "doctor", SECRET_KEYS="").stdout
    for others in (
        {"BASE_URL": "https://rooms.example"},
        {"DATABASE_URL": "postgresql+psycopg://127.0.0.1:1/none"},
        {"REDIS_URL": "redis://127.0.0.1:1/0"},
    ):
        assert "secret key: not set" in run(data, "doctor", SECRET_KEYS="", **others).stdout
    (data / "secret.key").write_text("short")
    assert "at least 32" in run(data, *CLIENT, SECRET_KEYS="").stderr


@pytest.mark.parametrize("command", [CUSTOMER, ("user", "create", "ada@example.org", "--name", "Ada")])
def test_a_command_before_the_first_migration_says_so(tmp_path: Path, command: tuple[str, ...]) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        Portal(tmp_path / "data").run(*command)
    assert refused.value.stderr.strip() == "Error: The database is not up to date. Run `portal migrate`."


def test_several_processes_are_refused_without_redis(tmp_path: Path) -> None:
    refused = run(tmp_path, "serve", "--workers", "2")
    assert refused.returncode != 0
    assert "REDIS_URL" in refused.stderr


def test_users_are_made_and_get_new_passwords(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").returncode == 0
    made = run(tmp_path, "user", "create", "zoe@example.org", "--name", "Zoe", "--password", "a-long-password")
    assert "can sign in" in made.stdout
    again = run(tmp_path, "user", "create", "zoe@example.org", "--name", "Zoe", "--password", "a-long-password")
    assert again.returncode != 0
    assert "already" in again.stderr
    changed = run(tmp_path, "user", "set-password", "zoe@example.org", "--password", "another-password")
    assert "new password" in changed.stdout
    weak = run(tmp_path, "user", "set-password", "zoe@example.org", "--password", "short")
    assert "at least" in weak.stderr
    moved = run(tmp_path, "user", "set-email", "zoe@example.org", "zoe@xn--kln-sna.example")
    assert "Zoe signs in as zoe@köln.example now." in moved.stdout
    assert "no user" in run(tmp_path, "user", "set-email", "zoe@example.org", "zoe@example.net").stderr


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"SECRET_KEYS": ""}, "secret key: not set"),
        ({"SECRET_KEYS": "short"}, "at least 32 characters"),
        ({}, "migrations: the database is not up to date"),
        ({"BASE_URL": "http://rooms.example"}, "browsers give no camera"),
        ({"DATABASE_URL": "postgresql+psycopg://127.0.0.1:1/none"}, "database: cannot be reached"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "redis:"),
    ],
)
def test_the_doctor_says_what_is_wrong(tmp_path: Path, more: dict[str, str], words: str) -> None:
    said = run(tmp_path, "doctor", **more)
    assert said.returncode == 1
    assert words in said.stdout


def test_the_doctor_is_content_as_soon_as_somebody_can_make_rooms(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    assert "BAD  people: nobody has an account" in run(tmp_path, "doctor").stdout
    run(tmp_path, "user", "create", "ada@example.org", "--name", "Ada", "--admin", "--password", "a-long-password")
    said = run(tmp_path, "doctor")
    assert said.returncode == 1
    assert "nobody has an account" not in said.stdout
    assert "BAD  rooms: nobody can make one" in said.stdout
    assert "portal customer create" in said.stdout
    assert run(tmp_path, *CUSTOMER).returncode == 0
    said = run(tmp_path, "doctor")
    assert said.returncode == 0, said.stdout
    assert "BAD" not in said.stdout
    with sqlite3.connect(tmp_path / "foyer.db") as database:
        database.execute("DELETE FROM password_links")
    said = run(tmp_path, "doctor")
    assert said.returncode == 1
    assert "Run `portal user password-link eva@example.org`" in said.stdout


def test_credentials_that_a_change_of_password_ended_are_named(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    run(tmp_path, "user", "create", "zoe@example.org", "--name", "Zoe", "--password", "a-long-password")
    run(tmp_path, "client", "create", "--name", "Timetable", "--user", "zoe@example.org")
    words = (
        "API credentials: 1 ended because the password was changed after they were made: Timetable (zoe@example.org)"
    )
    assert words not in run(tmp_path, "migrate").stdout
    run(tmp_path, "user", "set-password", "zoe@example.org", "--password", "another-password")
    assert words in run(tmp_path, "migrate").stdout
    assert f"ok   {words}" in run(tmp_path, "doctor").stdout


def test_a_token_in_an_address_reaches_no_log(tmp_path: Path) -> None:
    portal = Portal(tmp_path / "data")
    portal.run("migrate")
    portal.start()
    try:
        for path in ("/rooms/1111111111/x?token=rt_secret", "/nothing?token=rt_secret", "/%00?token=rt_secret"):
            with pytest.raises(OSError, match=r"HTTP Error 40\d"):
                urllib.request.urlopen(portal.address + path, timeout=5)
        assert portal.status("/%00?token=rt_secret&last") == 404
    finally:
        portal.stop()  # by then everything is written
    assert "rt_secret" not in portal.log()


def test_the_demo_keeps_to_itself_whatever_the_shell_is_set_for(tmp_path: Path) -> None:
    production = tmp_path / "production.db"
    set_for_it = {
        "DATABASE_URL": f"sqlite:///{production}",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "BASE_URL": "https://rooms.example",
    }
    data, port = tmp_path / "world", free_port()
    with demo(data, port, **set_for_it) as printed:
        assert f"http://127.0.0.1:{port}" in printed
        assert not production.exists()
        for file in ("foyer.db", "jobs.db", "secret.key"):
            assert (data / file).stat().st_mode & 0o077 == 0, file
    assert data.stat().st_mode & 0o077 == 0


def test_serving_before_migrating_ends_with_what_to_do(tmp_path: Path) -> None:
    refused = run(tmp_path / "new", "serve", "--bind", f"127.0.0.1:{free_port()}")
    assert refused.returncode != 0
    assert "Run `portal migrate`, then serve again." in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(("port", "said"), [("abc", "PORT: "), ("taken", "Choose another port")])
def test_a_port_that_the_demo_cannot_have_is_named_in_one_line(tmp_path: Path, port: str, said: str) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        taken = str(listening.getsockname()[1])
        refused = run(tmp_path / "world", "demo", PORT=taken if port == "taken" else port)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_demo_accounts_are_not_served_to_a_network(tmp_path: Path) -> None:
    data, port = tmp_path / "world", free_port()
    with demo(data, port):
        pass
    refused = run(data, "serve", "--bind", "0.0.0.0:1")
    assert refused.returncode == 1
    assert "everybody knows their password" in refused.stderr
    behind_a_proxy = run(data, "serve", "--bind", "unix:/nowhere", BASE_URL="https://rooms.example")
    assert "everybody knows their password" in behind_a_proxy.stderr
    said = run(data, "doctor", BASE_URL="https://rooms.example")
    assert "BAD  demo accounts" in said.stdout
    assert "ok   demo accounts" in run(data, "doctor").stdout
    for name in ("admin", "alice", "bob", "charlie"):
        run(data, "user", "set-password", f"{name}@demo.example", "--password", "only-i-know-this")
    said = run(data, "doctor", BASE_URL="https://rooms.example")
    assert said.returncode == 0, said.stdout
    assert "demo accounts" not in said.stdout


def test_what_arrives_on_the_wire_is_not_believed(tmp_path: Path) -> None:
    """The real server: chunks that are none, and headers by which a front end would steer a naive one."""
    portal = Portal(tmp_path / "data", environment={"TRUSTED_PROXIES": "1"})
    portal.run("migrate")
    portal.start()
    try:
        host = f"Host: 127.0.0.1:{portal.port}\r\nConnection: close\r\n"
        form = "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n"
        assert _status(portal, f"POST /sign-in HTTP/1.1\r\n{host}{form}\r\nzz\r\nfoo\r\n") == 400
        for header in ("SCRIPT_NAME: /sign-in", "PATH_INFO: /livez"):
            assert _status(portal, f"GET /sign-in HTTP/1.1\r\n{host}{header}\r\n\r\n") == 200
            assert _status(portal, f"GET /sign-in/livez HTTP/1.1\r\n{host}{header}\r\n\r\n") == 404
        assert _status(portal, "GET /sign-in HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n") == 400
        for number in range(31):  # each behind the proxy is a network of its own
            forwarded = f"X-Forwarded-For: 203.0.113.{number}\r\nX-Forwarded-Proto: https\r\n"
            assert _status(portal, f"GET /sign-in HTTP/1.1\r\n{host}{forwarded}\r\n") == 200
    finally:
        portal.stop()


def _status(portal: Portal, sent: str) -> int:
    with socket.create_connection(("127.0.0.1", portal.port), timeout=10) as wire:
        wire.sendall(sent.encode())
        return int(wire.makefile("rb").readline().split()[1])


def test_it_trusts_the_proxies_that_it_was_told_of_and_nobody_else(tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []
    for proxies in (0, 1):
        app = create_app(settings_for(f"sqlite:///{tmp_path / 'seen.db'}", tmp_path, trusted_proxies=proxies))

        def look() -> str:
            seen.append((request.remote_addr or "", request.scheme))
            return ""

        app.add_url_rule("/seen", "seen", look)
        headers = {"X-Forwarded-For": "192.0.2.7, 203.0.113.9", "X-Forwarded-Proto": "https"}
        app.test_client().get("/seen", headers=headers)
    assert seen == [("127.0.0.1", "http"), ("203.0.113.9", "https")]


def run(data: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of the portal on a data folder."""
    return subprocess.run(
        [sys.executable, "-m", "portal.cli", *command],
        env={
            "PATH": os.environ["PATH"],
            "DATA": str(data),
            "SECRET_KEYS": servers.SECRET_KEY,
            "PASSWORD_HASH_MEMORY": "64",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_clients_are_made_with_a_secret_that_is_printed_once(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    run(tmp_path, "user", "create", "zoe@example.org", "--name", "Zoe", "--password", "a-long-password")
    who = ("--name", "Timetable", "--user", "Zoe@example.org")
    made = run(tmp_path, "client", "create", *who, "--scopes", "rooms.write, rooms.read", "--json")
    said = json.loads(made.stdout)
    assert said["scopes"] == ["rooms.read", "rooms.write"]
    assert said["grant_types"] == ["client_credentials"]
    assert said["client_secret"].startswith("fs_")
    assert len(said["client_id"]) == 10
    everything = json.loads(run(tmp_path, "client", "create", *who, "--json").stdout)
    assert "admin" not in everything["scopes"]
    assert len(everything["scopes"]) == 9
    back = ("--kind", "third_party", "--redirect-uri", "https://app.example/back")
    theirs = json.loads(run(tmp_path, "client", "create", *who, *back, "--json").stdout)
    assert theirs["redirect_uris"] == ["https://app.example/back"]
    plain = run(tmp_path, "client", "create", *who, "--kind", "first_party")
    assert "client_secret  fs_" in plain.stdout
    database = b"".join(file.read_bytes() for file in tmp_path.glob("foyer.db*"))
    assert b"Timetable" in database
    for one in (said, everything, theirs):
        assert one["client_secret"].encode() not in database


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--user", "nobody@example.org"), "There is no user"),
        (("--user", "zoe@example.org", "--scopes", "everything"), "There is no scope everything"),
        (("--user", "zoe@example.org", "--scopes", "admin"), "platform staff"),
        (
            ("--user", "zoe@example.org", "--kind", "third_party"),
            "--redirect-uri: Name 1 to 10 addresses to which it may return",
        ),
        (("--user", "zoe@example.org", "--redirect-uri", "https://app.example"), "--redirect-uri: Only a third-party"),
    ],
)
def test_a_client_that_cannot_be_made_is_refused_in_a_sentence(
    tmp_path: Path, more: tuple[str, ...], words: str
) -> None:
    run(tmp_path, "migrate")
    run(tmp_path, "user", "create", "zoe@example.org", "--name", "Zoe", "--password", "a-long-password")
    refused = run(tmp_path, "client", "create", "--name", "X", *more)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
