"""Rooms in real processes: one web process on SQLite; two, and one for jobs, over Valkey and PostgreSQL."""

import http.cookiejar
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from portal.app import create_app
from portal.db import db, transaction
from portal.providers import registry
from portal.providers.base import LiveState
from portal.providers.mesh.adapter import Mesh
from portal.rooms.models import Role
from tests.cast import Cast
from tests.conftest import BOTH, settings_for
from tests.providers.standin.adapter import StandInAdapter
from tests.providers.standin.server import StandIn, running
from tests.providers.standin.world import World, give_board_room_to
from tests.servers import Portal, wait_for

PROGRAM = "tests.providers.standin.serving"


@dataclass
class Served:
    """The portal's processes, and what the test reads of their database and their service."""

    portal: Portal
    world: World
    opener: Any = None
    """The browser of whoever followed a link last."""

    @property
    def service(self) -> StandIn:
        return self.world.service

    def follow(self, name: str) -> str:
        """Follow the guest link as a browser does, press Join, and go where that leads: the last page's text."""
        opener = self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        link = self.portal.address + self.world.cast.links[Role.GUEST]
        with opener.open(link, timeout=20) as page:
            address, html = page.geturl(), page.read().decode()
        token = re.search(r'name="csrf_token" value="([^"]+)"', html)
        assert token is not None
        form = urlencode({"csrf_token": token[1], "name": name, "code": ""}).encode()
        with opener.open(urllib.request.Request(address, form, {"Origin": self.portal.address}), timeout=20) as page:
            return str(page.read().decode())

    def has(self, state: LiveState, count: int) -> bool:
        status = self.world.status()
        return (status.state, status.count) == (state, count)


@contextmanager
def jobs(portal: Portal) -> Iterator[None]:
    with (portal.data / "jobs.out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", PROGRAM, "jobs"],
            env=portal.settings(),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


@pytest.fixture
def served(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    many = not database.startswith("sqlite")
    more = {"redis_url": request.getfixturevalue("valkey_server")} if many else {}
    app = create_app(settings_for(database, tmp_path, **more))
    registry.fill([Mesh([]), StandInAdapter()])
    environment = {"DATABASE_URL": database, **({"REDIS_URL": more["redis_url"]} if many else {})}
    portal = Portal(tmp_path / "data", module=PROGRAM, environment=environment, workers=2 if many else 1)
    with ExitStack() as stack:
        world = give_board_room_to(Cast(app), stack.enter_context(running()))
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        portal.start()
        stack.callback(portal.stop)
        if many:
            stack.enter_context(jobs(portal))
        yield Served(portal, world)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    print(portal.log()[-4000:])


@BOTH
def test_who_comes_and_goes_at_the_service_is_known_in_moments(served: Served) -> None:
    assert "You are in." in served.follow("Gus Guest")
    wait_for(lambda: served.has(LiveState.LIVE, 1), what="a status that knows the guest")
    assert "You are in." in served.follow("Jun Tanaka")
    wait_for(lambda: served.has(LiveState.LIVE, 2), what="a status that knows both")
    external = served.service.meeting_name()
    for person in served.world.people():
        served.service.go(external, person.id)
    wait_for(lambda: served.has(LiveState.IDLE, 0), what="an end")
    assert {status for _, status in served.service.callbacks} == {204}
    [run] = served.world.runs()
    assert run.ended_at is not None
    assert run.most == 2


@BOTH
def test_what_callbacks_missed_the_poll_repairs_and_a_dead_service_is_said_to_be_stale(served: Served) -> None:
    served.service.calls_back = False
    served.follow("Gus Guest")
    wait_for(lambda: served.has(LiveState.LIVE, 1), what="a status that knows the guest")
    served.service.dead = True
    assert served.portal.status("/readyz") == 200
    wait_for(lambda: served.world.status().stale, seconds=30, what="a stale status")
    served.service.dead = False
    wait_for(lambda: not served.world.status().stale, seconds=40, what="a fresh status")
    assert served.has(LiveState.LIVE, 1)


@BOTH
def test_the_embedded_service_keeps_to_what_services_keep_to(served: Served) -> None:
    with served.world.app.app_context(), transaction():
        served.world.cast.room().subscription.provider = served.world.built_in()
    player = served.follow("Gus Guest")
    csrf = player.split('data-csrf="')[1].split('"')[0]
    base = f"{served.portal.address}/rooms/{served.world.cast.board}/-/conference"
    alive = json.dumps({"tab": "one", "microphone": True, "camera": False, "takeover": False}).encode()
    headers = {"Content-Type": "application/json", "X-CSRFToken": csrf, "Origin": served.portal.address}
    with served.opener.open(urllib.request.Request(f"{base}/presence", alive, headers), timeout=20) as answer:
        assert answer.status == 200
    wait_for(lambda: served.has(LiveState.LIVE, 1), what="a status that knows the guest")
    form = urlencode({"csrf_token": csrf}).encode()
    request = urllib.request.Request(f"{base}/departure", form, {"Origin": served.portal.address})
    with served.opener.open(request, timeout=20) as answer:
        assert "You left the room." in answer.read().decode()
    wait_for(lambda: served.has(LiveState.IDLE, 0), what="an end")
    assert served.world.runs()[0].ended_at is not None
