"""The pages on which people make credentials for their programs, and end them."""

import re
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.credentials.models import ClientKind, OAuthClient
from portal.credentials.presented import find_access_token
from portal.db import session, transaction
from portal.scopes import Scope
from tests.cast import Cast, Client, csrf_of
from tests.oauth.programs import Program, program

NEW = "/me/credentials/new"


@pytest.fixture
def alice(cast: Cast) -> Client:
    return cast.sign_in("alice")


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', html)
    assert found, html
    return unescape(found[1])


def shown(html: str, field: str) -> str:
    found = re.search(rf'id="{field}"[^>]* value="([^"]*)"', html)
    assert found, html
    return unescape(found[1])


def test_a_credential_made_here_works_and_its_secret_is_shown_once(alice: Client, cast: Cast, app: Flask) -> None:
    page = alice.get(NEW).text
    form = {
        "csrf_token": csrf_of(page),
        "promised": hidden(page, "promised"),
        "name": "Timetable",
        "description": "Makes a room for each lesson",
        "scopes": ["rooms.write", "rooms.read"],
    }
    made = alice.post(NEW, data=form)
    assert made.status_code == 201
    client_id, secret = shown(made.text, "client-id"), shown(made.text, "client-secret")
    assert Program(cast, client_id, secret).pair("client_credentials")["scope"] == "rooms.read rooms.write"

    listed = alice.get("/me/credentials").text
    assert "Timetable" in listed
    assert client_id in listed
    assert secret not in listed
    reloaded = alice.post(NEW, data=form, follow_redirects=True)
    assert reloaded.request.path == "/me/credentials"
    assert "was made already" in reloaded.text
    assert secret not in reloaded.text
    cookie = alice.get_cookie("foyer")
    assert cookie is not None
    assert secret not in cookie.value
    with app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(OAuthClient)) == 1
        assert secret not in repr([event.details for event in session.scalars(sa.select(AuditEvent))])


def test_an_id_that_we_did_not_promise_is_not_taken(alice: Client) -> None:
    page = alice.get(NEW).text
    made = alice.post(
        NEW, data={"csrf_token": csrf_of(page), "promised": "1111111111", "name": "X", "scopes": "rooms.read"}
    )
    assert made.status_code == 201
    assert shown(made.text, "client-id") != "1111111111"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "", "scopes": "rooms.read"}, "Fill this in."),
        ({"name": "X"}, "Choose at least one"),
        ({"name": "X", "scopes": "rooms.read", "expires_at": "2020-01-01T10:00"}, "This time has passed"),
        ({"name": "X", "scopes": "rooms.read", "expires_at": "soon"}, "There is no such date"),
        ({"name": "X", "scopes": "everything"}, "Choose at least one"),
        ({"name": "X", "scopes": "admin"}, "Choose one that is listed."),
        ({"name": "X", "description": "x" * 501, "scopes": "rooms.read"}, "too long"),
    ],
)
def test_what_makes_no_credential_is_said_beside_the_field(alice: Client, fields: dict[str, str], words: str) -> None:
    answer = alice.send(NEW, **fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert "No credentials" in alice.get("/me/credentials").text


def test_rights_of_staff_are_offered_to_staff_only(alice: Client, cast: Cast) -> None:
    assert 'value="admin"' not in alice.get(NEW).text
    ada = cast.sign_in("admin")
    assert 'value="admin"' in ada.get(NEW).text
    assert ada.send(NEW, name="X", scopes=["admin", "rooms.read"]).status_code == 201


def test_every_scope_is_explained_in_a_sentence(cast: Cast) -> None:
    page = cast.sign_in("admin").get(NEW).text
    for scope in Scope:
        assert f'value="{scope}"' in page
        assert str(scope.label) in unescape(page)


def test_a_form_kept_over_a_lapsed_session_makes_nothing_by_itself(alice: Client) -> None:
    answer = alice.post(NEW, data={"csrf_token": "stale", "name": "Timetable", "scopes": "rooms.read"})
    assert answer.status_code == 422
    assert 'value="Timetable"' in answer.text
    assert "No credentials" in alice.get("/me/credentials").text


def test_revoking_says_what_goes_and_shuts_the_program_out(alice: Client, cast: Cast, app: Flask) -> None:
    machine = program(cast, ClientKind.CREDENTIAL)
    text = machine.pair("client_credentials")["access_token"]
    path = f"/me/credentials/{machine.client_id}/revocation"
    asked = alice.get(path)
    assert "cannot be undone" in asked.text
    assert machine.active(text)
    assert alice.send(path).status_code == 303
    assert machine.token("client_credentials").status_code == 401
    with app.app_context():
        assert find_access_token(text) is None
    listed = alice.get("/me/credentials").text
    assert "Revoked" in listed
    assert f'href="{path}"' not in listed


@pytest.mark.parametrize("who", ["bob", "charlie", "admin"])
def test_credentials_of_others_are_not_found(cast: Cast, who: str) -> None:
    machine, other = program(cast, ClientKind.CREDENTIAL), cast.sign_in(who)
    path = f"/me/credentials/{machine.client_id}/revocation"
    assert machine.client_id not in other.get("/me/credentials").text
    assert other.get(path).status_code == 404
    assert other.post(path, data={"csrf_token": other.token("/me")}).status_code == 404
    assert machine.token("client_credentials").status_code == 200


@pytest.mark.parametrize("path", ["/me/credentials", NEW, "/me/applications"])
def test_nobody_is_asked_to_sign_in(cast: Cast, path: str) -> None:
    answer = cast.browser().get(path)
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in?next=")


def test_a_credential_whose_time_is_over_says_so(alice: Client, cast: Cast, app: Flask) -> None:
    program(cast, ClientKind.CREDENTIAL)
    with app.app_context(), transaction():
        session.execute(sa.update(OAuthClient).values(expires_at=now() - timedelta(days=1)))
    assert "Expired" in alice.get("/me/credentials").text


def test_the_account_menu_leads_to_both_pages(alice: Client) -> None:
    page = alice.get("/me").text
    assert 'href="/me/credentials"' in page
    assert 'href="/me/applications"' in page
