"""A stolen dump opens no room and no service: no issued token and no secret property stands in any table or queue."""

import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask

from portal.admission.join_tickets import issue_join_ticket
from portal.admission.models import RoomToken
from portal.admission.visitor import Visitor
from portal.db import Base, session, transaction
from portal.jobs.queue import make_queue
from portal.rooms.models import Role
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.service_providers import change_provider, create_provider
from portal.subscriptions.services import bound_service
from tests.cast import PASSWORD, Cast
from tests.conftest import BOTH
from tests.providers.declaring import registered


@BOTH
def test_a_dump_of_every_table_and_queue_contains_no_issued_token(app: Flask, cast: Cast, tmp_path: Path) -> None:
    guest = cast.join(Role.GUEST)
    guest.post(f"/rooms/{cast.board}/-/conference/departure", data={"csrf_token": guest.token()})
    cast.browser().send(cast.open_path, name="Pat")
    alice = cast.sign_in("alice")
    alice.send(f"/manage/rooms/{cast.board}/links/new", role="moderator", label="New")
    alice.send(f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/rotation", grace="3600")
    with app.app_context(), transaction():
        visitor = Visitor(token=cast.token(Role.MODERATOR))
        _, entry = issue_join_ticket(room=cast.room(), visitor=visitor, name="Mo Entry", network="192.0.2.1")
    assert entry is not None
    cast.browser().get(f"/rooms/{cast.board}/-/join-tickets/{entry}")
    asked = cast.browser().post(f"/manage/rooms/{cast.board}/links/new", data={"csrf_token": "x", "label": "y"})
    assert asked.status_code in {400, 401, 422}

    queue = make_queue(app, app.config["SETTINGS"])
    queue.storage.conn  # noqa: B018  (makes the file)
    dump = "\n".join(line for file in tmp_path.glob("jobs.db*") for line in _lines(file))
    with app.app_context():
        dump += _tables()
        issued = [token.token for token in session.scalars(sa.select(RoomToken))]
    assert len(issued) == 6
    assert "Mo Entry" in dump
    assert "room_tokens" not in issued
    assert dump.count("Alice Moreau") >= 1  # the dump is real
    for token in [*issued, entry, PASSWORD, urlsplit(cast.links[Role.GUEST]).query.removeprefix("token=")]:
        assert token not in dump


@BOTH
def test_a_dump_of_every_table_contains_no_secret_property_of_a_provider(app: Flask) -> None:
    first, second = "a-secret-of-a-service", "another-secret-of-a-service"
    properties = {"endpoint": "https://service.example/", "my_secret": first}
    with app.app_context(), registered():
        with transaction():
            create_provider(provider_name="Elsewhere", provider_type="declaring", properties=properties)
        dump = _tables()
        with transaction():
            change_provider(_elsewhere(), properties={"my_secret": second})
        dump += _tables()
        assert bound_service(_elsewhere())["my_secret"] == second
    assert dump.count("https://service.example/") == 2
    assert dump.count("provider.updated") == 1
    for secret in (first, second):
        assert secret not in dump


def _elsewhere() -> ServiceProvider:
    return session.scalars(sa.select(ServiceProvider).filter_by(provider_name="Elsewhere")).one()


def _tables() -> str:
    rows = (row for table in Base.metadata.sorted_tables for row in session.execute(sa.select(table)))
    return "\n".join(repr(tuple(row)) for row in rows)


def _lines(file: Path) -> list[str]:
    if file.suffix != ".db":
        return []
    with sqlite3.connect(file) as connection:
        return list(connection.iterdump())
