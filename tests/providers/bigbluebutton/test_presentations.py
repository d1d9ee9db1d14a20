"""A room's presentation on its way to the server: an address of the portal, signed, for minutes, and kept nowhere."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
import structlog
import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.clock import now
from portal.db import db, session, transaction
from portal.rooms.models import Role
from portal.rooms.presentations import FETCHED_WITHIN
from portal.storage import storage
from tests.cast import Cast
from tests.presentations import PDF, new_presentation
from tests.providers.bigbluebutton.server import BbbServer
from tests.providers.bigbluebutton.world import BbbWorld, give_board_room_to

WHERE, NAME = "preUploadedPresentation", "preUploadedPresentationName"


def present(world: BbbWorld, name: str = "slides.pdf") -> str:
    """Give the board room a presentation. Its key in the storage."""
    with world.app.app_context(), transaction():
        return new_presentation(world.cast.room(), name=name).key


def opened(world: BbbWorld, server: BbbServer) -> dict[str, str]:
    """What the server was sent when a moderator opened the room."""
    world.land(world.cast.follow(Role.MODERATOR).send(world.cast.board_path, name="Mo"))
    return server.only().sent


def fetch(client: FlaskClient, address: str, **headers: str) -> TestResponse:
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}", headers=headers)


def test_the_server_is_told_where_to_fetch_it(world: BbbWorld, server: BbbServer) -> None:
    present(world, "../Überblick 'Q1' (neu).pdf")
    sent = opened(world, server)
    assert sent[NAME] == "Überblick 'Q1' (neu).pdf"
    assert sent[WHERE].startswith(f"{world.app.config['BASE_URL']}/presentations/")
    assert urlsplit(sent[WHERE]).path.endswith("/presentation.pdf")
    answer = fetch(world.app.test_client(), sent[WHERE])
    assert (answer.status_code, answer.data) == (200, PDF)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Length"] == str(len(PDF))
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    head = world.app.test_client().head(sent[WHERE].removeprefix(world.app.config["BASE_URL"]))
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(PDF)))


def test_a_room_without_one_sends_no_address(world: BbbWorld, server: BbbServer) -> None:
    sent = opened(world, server)
    assert WHERE not in sent
    assert NAME not in sent


def test_no_host_that_somebody_names_is_in_the_address(world: BbbWorld, server: BbbServer) -> None:
    present(world)
    guest = world.cast.follow(Role.MODERATOR)
    page = guest.get(world.cast.board_path).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    forged = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    world.land(guest.post(world.cast.board_path, data={"csrf_token": token, "name": "Mo"}, headers=forged))
    assert server.only().sent[WHERE].startswith(f"{world.app.config['BASE_URL']}/")


def test_a_server_that_knows_the_portal_by_another_address_gets_that(cast: Cast, server: BbbServer) -> None:
    world = give_board_room_to(cast, server, callback_url="https://inside.example/portal/")
    present(world)
    address = opened(world, server)[WHERE]
    assert address.startswith("https://inside.example/portal/presentations/")
    answer = fetch(world.app.test_client(), address.replace("/portal", "", 1), Host="inside.example")
    assert (answer.status_code, answer.data) == (200, PDF), "the portal is known to it by that name only"


def test_an_address_that_is_forged_over_or_of_another_file_leads_nowhere(world: BbbWorld, server: BbbServer) -> None:
    key = present(world)
    address = opened(world, server)[WHERE]
    client, asked = world.app.test_client(), parse_qs(urlsplit(address).query)
    path, signature = urlsplit(address).path, asked["signature"][0]
    missing = fetch(client, "/presentations/1111111111/presentation.pdf")
    for bad in (
        path,
        address.replace(signature, "0" * 64),
        address.replace(asked["expires"][0], str(int(asked["expires"][0]) + 60)),
        address.replace("presentation.pdf", "presentation.html"),
        f"{path.replace(path.split('/')[2], '1111111111')}?{urlsplit(address).query}",
    ):
        answer = fetch(client, bad)
        assert (answer.status_code, answer.data) == (404, missing.data), bad
    with time_machine.travel(now() + FETCHED_WITHIN + timedelta(seconds=1)):
        assert fetch(client, address).status_code == 404
    with world.app.app_context():
        storage().delete(key)
    assert fetch(client, address).status_code == 404
    assert client.post(path).status_code == 405


def test_no_session_opens_it_without_the_signature(world: BbbWorld, server: BbbServer) -> None:
    present(world)
    address = opened(world, server)[WHERE]
    assert world.cast.sign_in("alice").get(urlsplit(address).path).status_code == 404


def test_the_address_is_new_each_time_and_stored_and_logged_nowhere(
    world: BbbWorld, server: BbbServer, caplog: pytest.LogCaptureFixture
) -> None:
    present(world)
    with structlog.testing.capture_logs() as logged:
        address = opened(world, server)[WHERE]
        signature = parse_qs(urlsplit(address).query)["signature"][0]
        fetch(world.app.test_client(), address)
        fetch(world.app.test_client(), address.replace(signature, f"1{signature[1:]}"))
    assert signature not in caplog.text + repr(logged)
    with world.app.app_context():
        kept = [repr(row) for table in db.metadata.sorted_tables for row in session.execute(sa.select(table))]
    assert not [row for row in kept if signature in row]
