"""Whatever was derived from a right ends with it: programs, tickets, and places taken by them."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.clock import now
from portal.credentials.clients import create_client, ending_with_password, revoke_client
from portal.credentials.models import ClientKind, OAuthClient
from portal.credentials.operations import get_access_token, revoke_grant, revoke_token
from portal.credentials.presented import find_access_token
from portal.credentials.tokens import AccessToken
from portal.db import session, transaction
from portal.people import passwords
from portal.people.actor import actor_of
from portal.people.operations import set_password
from portal.permissions.members import RoomMember
from portal.scopes import Scope
from portal.status.models import Participation
from tests.api.conftest import NewProgram, Program, program
from tests.cast import Cast, csrf_of

__all__ = ["program"]

End = Callable[[Cast, str], None]


def new_password(cast: Cast, _token: str) -> None:
    set_password(cast.user("bob"), passwords.checked_hash("another-password"))


def deactivation(cast: Cast, _token: str) -> None:
    cast.user("bob").deactivated_at = now()


def revoked_token(_cast: Cast, token: str) -> None:
    revoke_token(_found(token))


def revoked_grant(_cast: Cast, token: str) -> None:
    found = _found(token)
    revoke_grant(found.grant, by=actor_of(found.user))


def revoked_client(_cast: Cast, token: str) -> None:
    found = _found(token)
    revoke_client(found.client, by=actor_of(found.user))


def membership(cast: Cast, _token: str) -> None:
    session.execute(sa.update(RoomMember).values(until=now()))


def _found(token: str) -> AccessToken:
    found = find_access_token(token)
    assert found is not None
    return get_access_token(found.uuid)


ENDS = [new_password, deactivation, revoked_token, revoked_grant, revoked_client, membership]


def _ticket(cast: Cast, bob: Program) -> str:
    answer = bob.post(f"/rooms/{cast.board}/join", {"name": "Bob"}).json["data"]
    assert answer["entry_url"], answer
    return str(answer["entry_url"]).partition("://")[2].partition("/")[2]


@pytest.mark.parametrize("end", ENDS)
def test_a_ticket_ends_with_all_that_it_came_from(cast: Cast, app: Flask, program: NewProgram, end: End) -> None:
    bob, browser, button = program("bob"), cast.browser(), f"/rooms/{cast.board}/-/join-tickets"
    assert browser.get(f"/{_ticket(cast, bob)}").status_code == 303
    unopened, proof = _ticket(cast, bob), csrf_of(browser.get(button).text)
    with app.app_context(), transaction():
        end(cast, bob.token)
    assert browser.post(button, data={"csrf_token": proof}).status_code in {403, 404, 409, 410}
    late = cast.browser()
    late.get(f"/{unopened}")
    page = late.get(button)
    if page.status_code == 200:  # the room may be known still: the button judges
        page = late.post(button, data={"csrf_token": csrf_of(page.text)})
    assert page.status_code >= 400
    with app.app_context():
        assert session.scalars(sa.select(Participation)).all() == []


@pytest.mark.parametrize("end", [new_password, deactivation, membership])
def test_whoever_came_in_by_a_ticket_leaves_with_the_right(
    cast: Cast, app: Flask, program: NewProgram, end: End
) -> None:
    bob, browser = program("bob"), cast.browser()
    assert browser.get(f"/{_ticket(cast, bob)}").status_code == 303
    assert browser.send(f"/rooms/{cast.board}/-/join-tickets").status_code == 303
    assert browser.get(f"/rooms/{cast.board}/-/conference").status_code == 200
    with app.app_context(), transaction():
        end(cast, bob.token)
    assert browser.get(f"/rooms/{cast.board}/-/conference").status_code == 303


def test_a_new_password_ends_the_credentials_and_no_application_of_others(cast: Cast, app: Flask) -> None:
    secrets: dict[str, tuple[str, str]] = {}

    def made(name: str, kind: ClientKind) -> None:
        alice = cast.user("alice")
        uris = ["https://app.example/back"] if kind is ClientKind.THIRD_PARTY else []
        client, secret = create_client(
            user=alice, by=actor_of(alice), name=name, kind=kind, scopes=[Scope.ROOMS_READ], redirect_uris=uris
        )
        secrets[name] = (client.client_id, secret)

    def token_of(name: str) -> int:
        form = {"grant_type": "client_credentials"}
        return app.test_client().post("/oauth/token", data=form, auth=secrets[name]).status_code

    with app.app_context(), transaction():
        for kind in ClientKind:
            made(kind.value, kind)
    assert token_of("credential") == 200
    with app.app_context(), transaction():
        assert [client.name for client in ending_with_password(cast.user("alice"))] == ["credential"]
        set_password(cast.user("alice"), passwords.checked_hash("another-password"))
    with app.app_context(), transaction():
        made("afterwards", ClientKind.CREDENTIAL)
        works = {client.name for client in session.scalars(sa.select(OAuthClient)).unique() if client.usable(now())}
        assert works == {"first_party", "third_party", "afterwards"}
    assert (token_of("credential"), token_of("afterwards")) == (401, 200)
    alice = cast.browser()
    alice.send("/sign-in", email="alice@demo.example", password="another-password")
    assert "Ended by a new password" in alice.get("/me/credentials").text


def test_a_first_password_ends_nothing(cast: Cast, app: Flask, program: NewProgram) -> None:
    with app.app_context(), transaction():
        cast.user("bob").password_hash = None
    bob = program("bob")
    with app.app_context(), transaction():
        set_password(cast.user("bob"), passwords.checked_hash("a-first-password"))
    assert bob.get(f"/rooms/{cast.board}").status_code == 200
