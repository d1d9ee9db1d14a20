"""What the commands serve, to whom, and over what: real processes on loopback."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from babel import localedata
from flask import Flask

from portal import server
from portal.app import create_app
from portal.db import db, session, transaction
from portal.people.actor import actor_of
from portal.subscriptions.models import Subscription
from portal.webhooks import operations as webhooks
from portal.webhooks.events import Event
from portal.webhooks.models import DeliveryState, WebhookDelivery
from tests.cast import Cast
from tests.conftest import settings_for
from tests.receiver import receiver
from tests.servers import Portal, free_port, make_certificate, wait_for
from tests.test_commands import demo

PLAN = {
    "max_participants": 25,
    "max_duration": 60,
    "max_rooms": 10,
    "public_chat": True,
    "private_chat": True,
    "screen_sharing": True,
}
"""What the demo's customers bought: what the portal and its built-in service can do."""
OUTGOING = {"outgoing_private": True, "outgoing_http": True}
"""Settings of a portal that may call the receiver, which is on loopback and knows no https."""


def reached(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


def test_the_demo_listens_on_loopback_only(tmp_path: Path) -> None:
    """All of 127.0.0.0/8 is this machine: who listens everywhere is found at another address of it, too."""
    port = free_port()
    with demo(tmp_path / "world", port):
        assert reached("127.0.0.1", port)
        assert not reached("127.0.0.2", port)
        assert not reached("::1", port)


@pytest.mark.usefixtures("in_app")
def test_the_demos_customers_have_the_plan_that_is_promised(cast: Cast) -> None:
    plans = session.scalars(sa.select(Subscription)).unique().all()
    assert {plan.customer.company_name: plan.values for plan in plans} == {"Acme": PLAN, "Globex": PLAN}
    assert {plan.name for plan in plans} == {"Meet Standard"}


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of this machine's own for 127.0.0.1, and its key."""
    return make_certificate(tmp_path)


@contextmanager
def process(portal: Portal, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command of the portal that runs until it is told to stop, which it does by itself."""
    with portal.data.with_suffix(".out").open("wb") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "portal.cli", *command],
            env=portal.settings(),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield running
        assert running.poll() is None, portal.data.with_suffix(".out").read_text()
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) is not None
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait(10)


def test_a_certificate_makes_it_https(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    certfile, keyfile = certificate
    port = free_port()
    address = f"https://127.0.0.1:{port}"
    portal = Portal(tmp_path / "data", port, environment={"BASE_URL": address})
    portal.run("migrate")
    known = ssl.create_default_context(cafile=str(certfile))

    def answered() -> bool:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5, context=known) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    command = ("serve", "--bind", f"127.0.0.1:{port}", "--certfile", str(certfile), "--keyfile", str(keyfile))
    with process(portal, *command):
        wait_for(answered, seconds=40, what="the portal's start")
        with urllib.request.urlopen(f"{address}/sign-in", timeout=5, context=known) as page:
            assert "; Secure" in page.headers["Set-Cookie"]
        with pytest.raises(urllib.error.URLError, match="certificate"):
            urllib.request.urlopen(f"{address}/livez", timeout=5)  # whoever does not know the certificate
        with pytest.raises((OSError, urllib.error.URLError)):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5)


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    portal = Portal(tmp_path)
    with pytest.raises(subprocess.CalledProcessError) as refused:
        portal.run("serve", "--certfile", str(tmp_path / "nowhere.pem"))
    assert "nowhere.pem" in refused.value.stderr


@pytest.fixture
def beside(database: str, valkey_server: str, tmp_path: Path) -> Iterator[Flask]:
    """A web process of several: it puts jobs into the queue, and works on none."""
    app = create_app(settings_for(database, tmp_path, redis_url=valkey_server, **OUTGOING))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_jobs_work_in_a_process_of_their_own(beside: Flask, database: str, valkey_server: str, tmp_path: Path) -> None:
    cast = Cast(beside)
    environment = {"DATABASE_URL": database, "REDIS_URL": valkey_server}
    portal = Portal(tmp_path / "jobs", environment=environment | {name.upper(): "true" for name in OUTGOING})
    portal.data.mkdir()
    with receiver() as told, process(portal, "jobs"):
        with beside.app_context(), transaction():
            alice = cast.user("alice")
            hook = webhooks.create_endpoint(
                customer=cast.room().customer, url=told.url, events=[Event.ROOM_UPDATED], by=actor_of(alice)
            )
            webhooks.test_endpoint(hook, by=actor_of(alice))
            secret = hook.secret
        wait_for(lambda: told.messages, seconds=40, what="the message")
        assert told.messages[0].verified(secret)["type"] == "webhook.test"
        wait_for(lambda: delivered(beside), what="the note that it arrived")


def delivered(app: Flask) -> bool:
    with app.app_context(), transaction():
        return session.scalars(sa.select(WebhookDelivery)).one().state is DeliveryState.DELIVERED


def test_a_fresh_portal_starts_without_a_complaint_and_serves(tmp_path: Path) -> None:
    portal = Portal(tmp_path / "data")
    portal.run("migrate")
    portal.start()
    try:
        assert [portal.status(path) for path in ("/sign-in", "/api/v1/openapi.json")] == [200, 200]
    finally:
        portal.stop()
    assert "Booting worker" in portal.log()
    assert not [word for word in ("Traceback", "Exception", "Error") if word in portal.log()], portal.log()


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    portal = Portal(tmp_path / "data")
    portal.run("migrate")
    portal.start()
    try:
        first = portal.log().rpartition("Booting worker with pid: ")[2].split()[0]
        os.kill(int(first), signal.SIGKILL)
        wait_for(lambda: portal.log().count("Booting worker") == 2, seconds=30, what="another worker")
        wait_for(portal.ready, seconds=30, what="its answer")
    finally:
        portal.stop()


def test_without_redis_one_server_works_with_the_data_and_another_after_it(tmp_path: Path) -> None:
    first, second = Portal(tmp_path / "data"), Portal(tmp_path / "data")
    first.run("migrate")
    first.start()
    try:
        with pytest.raises(subprocess.CalledProcessError) as refused:
            second.run("serve", "--bind", f"127.0.0.1:{second.port}")
        assert "Another `portal serve` works with" in refused.value.stderr
        os.kill(first.process.pid, signal.SIGKILL)  # type: ignore[union-attr]
        second.start()
    finally:
        first.kill()
        second.stop()


def test_without_redis_there_is_no_need_for_such_a_process(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        Portal(tmp_path).run("jobs")
    assert "REDIS_URL" in refused.value.stderr


def test_languages_are_loaded_before_workers_are_forked(app: Flask) -> None:
    """Or each worker would have its own."""
    localedata._cache.clear()
    server._load_languages(app)
    assert "en" in localedata._cache
