"""Ending tokens, and asking what one is good for."""

import pytest
from flask import Flask

from portal.credentials.models import ClientKind
from tests.cast import Cast
from tests.oauth.programs import Program, program


def test_revoking_an_access_token_leaves_its_family(own: Program) -> None:
    pair = own.pair()
    assert own.post("/oauth/revoke", token=pair["access_token"], token_type_hint="refresh_token").status_code == 200
    assert not own.active(pair["access_token"])
    assert own.active(pair["refresh_token"])


def test_revoking_a_refresh_token_ends_its_family(own: Program) -> None:
    pair = own.pair()
    assert own.post("/oauth/revoke", token=pair["refresh_token"]).status_code == 200
    assert not own.active(pair["access_token"])
    assert not own.active(pair["refresh_token"])
    assert own.post("/oauth/revoke", token=pair["refresh_token"]).status_code == 200
    assert own.post("/oauth/revoke", token="fa_never-was-one").status_code == 200
    assert own.post("/oauth/revoke").get_json()["error"] == "invalid_request"


def test_revoking_and_asking_about_tokens_is_for_the_client_that_has_them(own: Program, cast: Cast) -> None:
    pair, other = own.pair(), program(cast, ClientKind.CREDENTIAL)
    assert other.post("/oauth/revoke", token=pair["access_token"]).get_json()["error"] == "invalid_grant"
    assert other.post("/oauth/introspect", token=pair["access_token"]).get_json() == {"active": False}
    assert other.post("/oauth/introspect", token="fa_never-was-one").get_json() == {"active": False}
    for path in ("/oauth/revoke", "/oauth/introspect"):
        assert cast.browser().post(path, data={"token": pair["access_token"]}).status_code == 401
        assert own.post(path, auth=(own.client_id, "wrong"), token=pair["access_token"]).status_code == 401
    assert own.active(pair["access_token"])


def test_introspection_says_what_a_token_is_good_for(own: Program, app: Flask, cast: Cast) -> None:
    said = own.post("/oauth/introspect", token=own.pair()["access_token"]).get_json()
    with app.app_context():
        assert said["sub"] == cast.user("alice").id
    assert said["client_id"] == own.client_id
    assert said["scope"] == "rooms.read status.read"
    assert said["exp"] - said["iat"] == 86_400
    assert said["iss"] == "http://127.0.0.1:8000"


@pytest.fixture
def own(cast: Cast) -> Program:
    return program(cast, ClientKind.FIRST_PARTY)
