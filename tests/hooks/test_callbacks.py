"""A provider's callback reaches its adapter byte for byte; nothing but its signature opens the way."""

import sqlite3
from contextlib import closing
from io import BytesIO
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal import engine
from portal.app import MEGABYTE
from portal.db import session, transaction
from portal.edge import actor
from portal.hooks import routes
from portal.providers.base import CallbackRefused, RawCallback
from portal.status.callbacks import VerifiedCallback
from portal.subscriptions.provider_models import ServiceProvider
from tests.cast import Cast
from tests.conftest import BOTH

URLENCODED = "application/x-www-form-urlencoded"
ODD = b"event=%7B%22a%22%3A1%7D&event=second&a+b=%e4%zz&empty&=&once=x&csrf_token=&utf=\xc3\xa4&latin=\xe4&event=third"
"""A form that no parser gives back as it was: duplicates, broken escapes, raw bytes, fields that pages know."""

FORGED = b"event=forged"


class Service:
    """The service behind the demo's rooms; `callbacks` is what an adapter that believes everything got of it."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.callbacks: list[RawCallback] = []
        self.actors: list[object] = []
        with cast.app.app_context(), transaction():
            self.path = f"/hooks/{session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == 'mesh')).one().id}"

    def verify(self, provider: ServiceProvider, callback: RawCallback) -> VerifiedCallback:
        if callback.body == FORGED:
            raise CallbackRefused
        self.callbacks.append(callback)
        self.actors.append(actor.current())
        return VerifiedCallback(provider, [], callback.received_at, ask_after=False)

    def receive(self, callback: VerifiedCallback) -> None:
        callback.provider.provider_name = "Called"

    def post(self, body: bytes = b"", *, kind: str = URLENCODED, query: str = "") -> TestResponse:
        return self.cast.browser().post(f"{self.path}{query}", data=body, content_type=kind)

    def name(self) -> str:
        with self.cast.app.app_context(), transaction():
            return (
                session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "mesh"))
                .one()
                .provider_name
            )


@pytest.fixture
def service(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service(cast)
    monkeypatch.setattr(routes, "verify", service.verify)
    monkeypatch.setattr(routes, "receive", service.receive)
    return service


@BOTH
def test_an_urlencoded_body_arrives_byte_for_byte(service: Service) -> None:
    answer = service.post(ODD)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    [callback] = service.callbacks
    assert callback.body == ODD
    assert callback.headers["content-type"] == URLENCODED
    assert service.name() == "Called"


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/xml", ""])
def test_a_body_of_any_kind_arrives_byte_for_byte(service: Service, kind: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n{"a":\x00\xff}\r\n--x--\r\n'
    assert service.post(body, kind=kind).status_code == 204
    assert service.callbacks[0].body == body


def test_a_callback_knows_its_public_address_with_the_query_as_it_was_sent(service: Service, app: Flask) -> None:
    assert service.post(query="?b=%7e&a=1&b=+%C3%A4").status_code == 204
    assert service.post().status_code == 204
    base = app.config["BASE_URL"] + service.path
    assert [callback.url for callback in service.callbacks] == [f"{base}?b=%7e&a=1&b=+%C3%A4", base]


def test_one_byte_more_than_a_megabyte_is_refused(service: Service) -> None:
    assert service.post(b"x" * MEGABYTE).status_code == 204
    answer = service.post(b"x" * (MEGABYTE + 1))
    assert answer.status_code == 413
    assert answer.json == {"message": "The body is larger than 1 MB."}
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(service.callbacks) == 1


def test_a_body_of_unknown_length_has_the_same_bound(service: Service) -> None:
    for size, status in ((MEGABYTE, 204), (MEGABYTE + 1, 413)):
        answer = service.cast.browser().post(
            service.path,
            input_stream=BytesIO(b"x" * size),
            content_type=URLENCODED,
            environ_overrides={"wsgi.input_terminated": True},
        )
        assert answer.status_code == status
    assert [len(callback.body) for callback in service.callbacks] == [MEGABYTE]


@BOTH
def test_a_callback_by_get_acts(service: Service) -> None:
    assert service.cast.browser().get(f"{service.path}?meetingID=7").status_code == 204
    assert [callback.method for callback in service.callbacks] == ["GET"]
    assert service.name() == "Called"


def test_head_and_options_act_on_nothing(service: Service) -> None:
    head, options = (service.cast.browser().open(service.path, method=method) for method in ("HEAD", "OPTIONS"))
    assert head.status_code == 405
    assert options.status_code == 200
    assert "POST" in head.headers["Allow"]
    assert [service.cast.browser().open(service.path, method=method).status_code for method in ("PUT", "DELETE")] == [
        405,
        405,
    ]
    assert service.callbacks == []
    assert service.name() == "Built in"


def test_a_session_cookie_gives_nothing(service: Service) -> None:
    admin = service.cast.sign_in("admin")
    fields = {"csrf_token": admin.token("/me"), "once": "a-word-of-a-form"}
    for _ in range(2):
        answer = admin.post(service.path, data=urlencode(fields), content_type=URLENCODED)
        assert answer.status_code == 204
        assert "Set-Cookie" not in answer.headers
    assert service.actors == [None, None]
    assert len(service.callbacks) == 2


def test_what_a_stranger_sends_waits_for_no_writer(
    service: Service, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WRITER_TIMEOUT", 0.0)
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert service.post(FORGED).status_code == 401
        assert service.post(ODD).status_code == 503
    assert service.post(ODD).status_code == 204
    assert service.name() == "Called"


def test_a_service_that_is_not_in_use_is_heard(service: Service) -> None:
    with service.cast.app.app_context(), transaction():
        session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "mesh")).one().active = False
    assert service.post(ODD).status_code == 204


@pytest.mark.parametrize("path", ["/hooks/1111111111", "/hooks/not-an-id", "/hooks/", "/hooks/1111111111/more"])
def test_a_service_that_there_is_not_is_not_found(service: Service, path: str) -> None:
    answer = service.cast.browser().post(path, data=ODD, content_type=URLENCODED)
    assert answer.status_code == 404
    assert answer.is_json
    assert service.callbacks == []


def test_a_service_that_sends_no_callbacks_has_no_address_for_them(cast: Cast) -> None:
    answer = Service(cast).post(ODD)
    assert (answer.status_code, answer.is_json) == (404, True)
