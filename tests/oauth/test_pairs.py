"""Passwords and refresh tokens: pairs of tokens for people, and the family that ends when one comes again."""

import pytest
from flask import Flask

from portal.app import create_app
from portal.credentials.models import ClientKind
from portal.credentials.presented import find_access_token
from portal.db import session, transaction
from portal.people import passwords
from portal.people.operations import set_password
from tests.cast import PASSWORD, Cast, Client
from tests.conftest import BOTH, settings_for
from tests.oauth.programs import Program, program

DAY = 86_400


@pytest.fixture
def own(cast: Cast) -> Program:
    return program(cast, ClientKind.FIRST_PARTY)


@BOTH
def test_a_password_gets_a_pair(own: Program, app: Flask) -> None:
    said = own.pair()
    assert said["expires_in"] == DAY
    assert said["refresh_token"].startswith("fr_")
    with app.app_context():
        found = find_access_token(said["access_token"])
        assert found is not None
        assert found.actor.user.email == "alice@demo.example"


@pytest.mark.parametrize(
    ("username", "password"),
    [("alice@demo.example", "wrong-wrong"), ("nobody@demo.example", PASSWORD), ("", ""), ("alice\0", PASSWORD)],
)
def test_a_wrong_password_and_an_unknown_person_are_one_refusal(own: Program, username: str, password: str) -> None:
    answer = own.token("password", username=username, password=password)
    assert answer.status_code == 400
    expected = "invalid_request" if "\0" in username else "invalid_grant"
    assert answer.get_json()["error"] == expected


def test_an_unknown_person_costs_a_hash_too(own: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str | None] = []
    really = passwords.matches

    def watched(given: str, stored: str | None) -> bool:
        verified.append(stored)
        return really(given, stored)

    monkeypatch.setattr(passwords, "matches", watched)
    own.token("password", username="nobody@demo.example", password=PASSWORD)
    assert verified == [None]


def test_passwords_are_throttled_together_with_the_sign_in_page(own: Program, cast: Cast) -> None:
    for _ in range(10):
        own.token("password", username="alice@demo.example", password="wrong-wrong")
    answer = own.token("password", username="Alice@demo.example", password=PASSWORD)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
    page = cast.browser().send("/sign-in", email="alice@demo.example", password=PASSWORD)
    assert "Too many tries" in page.text


def test_the_password_grant_can_be_switched_off(database: str, tmp_path: object) -> None:
    app = create_app(settings_for(database, tmp_path, oauth_password_grant=False))  # type: ignore[arg-type]
    app.test_client_class = Client
    own = program(Cast(app), ClientKind.FIRST_PARTY)
    answer = own.token("password", username="alice@demo.example", password=PASSWORD)
    assert answer.get_json()["error"] == "unsupported_grant_type"
    described = own.cast.browser().get("/.well-known/oauth-authorization-server").get_json()
    assert "password" not in described["grant_types_supported"]
    with app.app_context():
        session.get_bind().dispose()  # type: ignore[union-attr]


@BOTH
def test_a_refresh_token_is_traded_for_the_next_pair(own: Program) -> None:
    first = own.pair()
    second = own.pair("refresh_token", refresh_token=first["refresh_token"])
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    third = own.pair("refresh_token", refresh_token=second["refresh_token"])
    assert own.active(third["access_token"])
    assert own.active(first["access_token"])


@BOTH
def test_a_refresh_token_that_comes_again_ends_its_family_and_no_other(own: Program) -> None:
    other, first = own.pair(), own.pair()
    second = own.pair("refresh_token", refresh_token=first["refresh_token"])
    again = own.token("refresh_token", refresh_token=first["refresh_token"])
    assert again.status_code == 400
    assert again.get_json()["error"] == "invalid_grant"
    for text in (first["access_token"], second["access_token"], second["refresh_token"]):
        assert not own.active(text)
    assert own.token("refresh_token", refresh_token=second["refresh_token"]).status_code == 400
    assert own.active(other["access_token"])


def test_another_client_cannot_use_or_end_a_refresh_token(own: Program, cast: Cast) -> None:
    pair, thief = own.pair(), program(cast, ClientKind.FIRST_PARTY)
    for _ in range(2):
        refused = thief.token("refresh_token", refresh_token=pair["refresh_token"])
        assert refused.get_json()["error"] == "invalid_grant"
    own.pair("refresh_token", refresh_token=pair["refresh_token"])
    thief.token("refresh_token", refresh_token=pair["refresh_token"])
    assert own.active(pair["access_token"])


def test_a_refresh_may_ask_for_less_without_losing_the_rest_and_never_for_more(own: Program) -> None:
    pair = own.pair()
    more = own.token("refresh_token", refresh_token=pair["refresh_token"], scope="rooms.write")
    assert more.get_json()["error"] == "invalid_scope"
    less = own.pair("refresh_token", refresh_token=pair["refresh_token"], scope="rooms.read")
    assert less["scope"] == "rooms.read"
    assert own.pair("refresh_token", refresh_token=less["refresh_token"])["scope"] == "rooms.read status.read"
    narrow = own.pair(scope="rooms.read")
    wide = own.token("refresh_token", refresh_token=narrow["refresh_token"], scope="rooms.read status.read")
    assert wide.get_json()["error"] == "invalid_scope"


@pytest.mark.parametrize("text", ["", "fr_x", "fa_" + "a" * 49, "fr_" + "a" * 49, "é"])
def test_what_is_no_refresh_token_is_refused(own: Program, text: str) -> None:
    answer = own.token("refresh_token", refresh_token=text)
    assert answer.status_code == 400
    assert answer.get_json()["error"] in {"invalid_grant", "invalid_request"}


def test_a_new_password_ends_what_was_granted_and_signing_out_does_not(own: Program, cast: Cast, app: Flask) -> None:
    alice, pair = cast.sign_in("alice"), own.pair()
    assert alice.post("/sign-out", data={"csrf_token": alice.token("/me")}).status_code == 303
    assert own.active(pair["access_token"])
    with app.app_context(), transaction():
        set_password(cast.user("alice"), passwords.checked_hash("another-password"))
    assert not own.active(pair["access_token"])
    assert own.token("refresh_token", refresh_token=pair["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert own.active(own.pair(password="another-password")["access_token"])
