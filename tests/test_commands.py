"""The commands as people type them: real processes, real files."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests import servers
from tests.servers import Portal, free_port, wait_for


@contextmanager
def demo(data: Path, port: int) -> Iterator[str]:
    """`portal demo` with nothing set; what it printed by the time it served."""
    out = data.with_suffix(".out")
    with out.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.cli", "demo"],
            env={"PATH": os.environ["PATH"], "PORT": str(port), "DATA": str(data)},
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


def test_the_doctor_is_content_after_a_migration(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    said = run(tmp_path, "doctor")
    assert said.returncode == 0, said.stdout
    assert "BAD" not in said.stdout


def test_a_token_in_an_address_reaches_no_log(tmp_path: Path) -> None:
    portal = Portal(tmp_path / "data")
    portal.run("migrate")
    portal.start()
    try:
        for path in ("/rooms/1111111111/x?token=rt_secret", "/nothing?token=rt_secret", "/%00?token=rt_secret"):
            with pytest.raises(OSError, match=r"HTTP Error 40\d"):
                urllib.request.urlopen(portal.address + path, timeout=5)
        began = time.monotonic()
        wait_for(lambda: time.monotonic() - began > 0.3, what="the log")
        assert "rt_secret" not in portal.log()
    finally:
        portal.stop()


def run(data: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of the portal on an empty data folder."""
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
