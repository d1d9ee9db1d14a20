"""Programs that come from the machine: Chromium, the TURN server coturn, and ffmpeg. Where one is missing it gets
installed, if that is possible.
"""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.servers import free_port, wait_for

CHROMIUM_ARGS = [
    "--no-sandbox",  # CI runs as root
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",  # no request leaves this machine
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream=device-count=3",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",  # peers on one machine without a name service
    "--allow-loopback-in-peer-connection",
]


@cache
def chromium() -> str:
    """Path of a browser: Playwright's, else the machine's, else one that gets installed. Never skips."""
    with (Path(tempfile.gettempdir()) / "foyer-browser.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one run install it once, not each at the same moment
        found = _found_chromium() or _installed_chromium()
    if found is None:
        raise RuntimeError(
            "No browser: install Chromium or Chrome, or let `playwright install chromium` reach its server."
        )
    return found


def _found_chromium() -> str | None:
    return _playwright_chromium() or _machine_chromium()


def _installed_chromium() -> str | None:
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False, timeout=600)
    if found := _playwright_chromium():
        return found
    _install("chromium")
    return _machine_chromium()


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install(package: str) -> None:
    if _may_install():
        subprocess.run(["apt-get", "update", "-qq"], check=False, timeout=300)
        subprocess.run(["apt-get", "install", "-y", "-qq", package], check=False, timeout=900)


def _machine_chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def _playwright_chromium() -> str | None:
    folders = [Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright")]
    for folder in folders:
        for found in sorted(folder.glob("chromium-*/chrome-linux*/chrome"), reverse=True):
            return str(found)
    return None


def install_ffmpeg() -> None:
    """Have the machine's own ffmpeg beside the packaged one, where somebody may install it."""
    with (Path(tempfile.gettempdir()) / "foyer-ffmpeg.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shutil.which("ffmpeg") is None:
            _install("ffmpeg")


@contextlib.contextmanager
def coturn(folder: Path, secret: str) -> Iterator[int]:
    """A TURN server that shares `secret`; its port. Skips the test, loudly, where nobody may install one."""
    with (Path(tempfile.gettempdir()) / "foyer-coturn.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shutil.which("turnserver") is None:
            _install("coturn")
    if shutil.which("turnserver") is None and not _may_install():
        pytest.skip("UNPROVEN: there is no coturn here, and nothing may be installed, so nothing was relayed")
    port, log = free_port(), folder / "coturn.log"
    options = {
        "listening-ip": "127.0.0.1",
        "relay-ip": "127.0.0.1",
        "listening-port": port,
        "static-auth-secret": secret,
        "realm": "foyer.example",
        "log-file": log,
        "pidfile": folder / "coturn.pid",
        "db": folder / "coturn.db",
    }
    flags = ("-n", "--use-auth-secret", "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers")
    server = subprocess.Popen(
        ["turnserver", *flags, *(f"--{name}={value}" for name, value in options.items())],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: _listens(port), what="the TURN server's start")
        yield port
    finally:
        server.terminate()
        server.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
