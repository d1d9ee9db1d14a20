"""A person lets an application act in their name, or does not; and the code that carries the answer."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.clock import now
from portal.credentials.clients import revoke_client
from portal.credentials.models import ClientKind, OAuthClient
from portal.credentials.presented import find_access_token
from portal.db import session, transaction
from portal.people import passwords
from portal.people.actor import actor_of
from portal.people.models import SignIn
from portal.people.operations import set_password
from portal.scopes import Scope
from tests.cast import PASSWORD, Cast, Client, csrf_of
from tests.conftest import BOTH
from tests.oauth.programs import BACK, Program, program, said_in


@pytest.fixture
def theirs(cast: Cast) -> Program:
    """An application of Charlie's."""
    return program(cast, ClientKind.THIRD_PARTY, user="charlie")


@pytest.fixture
def bob(cast: Cast) -> Client:
    return cast.sign_in("bob")


@BOTH
def test_an_application_acts_for_whoever_allowed_it(theirs: Program, bob: Client, app: Flask) -> None:
    page = bob.get(theirs.address())
    assert page.status_code == 200
    assert "Reporter" in page.text
    assert "See your rooms and their settings" in page.text
    assert "app.example" in page.text
    allowed = bob.post(theirs.address(), data={"csrf_token": csrf_of(page.text), "decision": "allow"})
    assert allowed.status_code == 303
    assert allowed.location.startswith(BACK + "?")
    said = said_in(allowed)
    assert said["state"] == "xyz /?&"
    assert said["iss"] == "http://127.0.0.1:8000"
    pair = theirs.exchange(said["code"])
    assert pair.status_code == 200
    assert pair.get_json()["scope"] == "rooms.read"
    with app.app_context():
        found = find_access_token(pair.get_json()["access_token"])
        assert found is not None
        assert found.actor.user.email == "bob@demo.example"
    theirs.pair("refresh_token", refresh_token=pair.get_json()["refresh_token"])


def test_whoever_does_not_allow_it_sends_it_away_without_a_code(theirs: Program, bob: Client) -> None:
    said = said_in(theirs.decide(bob, "deny"))
    assert said["error"] == "access_denied"
    assert said["state"] == "xyz /?&"
    assert said["iss"] == "http://127.0.0.1:8000"
    assert "code" not in said


def test_a_decision_nobody_made_shows_the_page_again(theirs: Program, bob: Client) -> None:
    answer = theirs.decide(bob, "perhaps")
    assert answer.status_code == 200
    assert "act in your name?" in answer.text


def test_a_decision_without_proof_of_origin_is_none(theirs: Program, bob: Client) -> None:
    answer = bob.post(theirs.address(), data={"decision": "allow"})
    assert answer.status_code == 400
    assert not answer.location


def test_nobody_signs_in_first_and_comes_back_to_the_question(theirs: Program, cast: Cast) -> None:
    browser = cast.browser()
    page = browser.get(theirs.address(), follow_redirects=True)
    assert page.request.path == "/sign-in"
    wanted = page.request.args["next"]
    signed = browser.send("/sign-in", email="bob@demo.example", password=PASSWORD, next=wanted)
    asked = browser.get(signed.location)
    assert "act in your name?" in asked.text
    assert asked.request.full_path == theirs.address()


def test_a_session_that_ends_over_the_question_leads_back_to_it(theirs: Program, bob: Client, app: Flask) -> None:
    form = csrf_of(bob.get(theirs.address()).text)
    with app.app_context(), transaction():
        session.execute(sa.update(SignIn).values(ended_at=now()))
    asked = bob.post(theirs.address(), data={"csrf_token": form, "decision": "allow"})
    assert asked.status_code == 401
    assert f'value="{theirs.address().replace("&", "&amp;")}"' in asked.text


def test_a_page_that_asks_lets_its_form_lead_to_the_application_only(theirs: Program, bob: Client) -> None:
    policy = bob.get(theirs.address()).headers["Content-Security-Policy"]
    assert "form-action 'self' https://app.example;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "https:" not in bob.get("/me").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "more",
    [
        {"client_id": "1111111111"},
        {"client_id": ""},
        {"client_id": "é"},
        {"redirect_uri": BACK + "/more"},
        {"redirect_uri": "https://evil.example/back"},
        {"redirect_uri": "http://app.example/back"},
        {"redirect_uri": 'https://app.example/"é'},
        {"redirect_uri": BACK + "?x=1"},
    ],
)
def test_nobody_is_led_to_an_address_that_is_not_the_clients(
    theirs: Program, bob: Client, more: dict[str, str]
) -> None:
    answer = bob.get(theirs.address(**more))
    assert answer.status_code == 400
    assert not answer.location
    assert "Nothing was allowed" in answer.text


def test_a_parameter_that_comes_twice_leads_nowhere(theirs: Program, bob: Client) -> None:
    answer = bob.get(theirs.address() + "&redirect_uri=https%3A%2F%2Fevil.example")
    assert answer.status_code == 400
    assert not answer.location


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ""}, "unsupported_response_type"),
        ({"scope": "rooms.write"}, "invalid_scope"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_other_errors_are_told_to_the_application(
    theirs: Program, bob: Client, more: dict[str, str], error: str
) -> None:
    answer = bob.get(theirs.address(**more))
    assert answer.status_code == 303
    said = said_in(answer)
    assert said["error"] == error
    assert said["state"] == "xyz /?&"
    assert said["iss"] == "http://127.0.0.1:8000"


def test_a_client_with_one_address_need_not_name_it(theirs: Program, bob: Client) -> None:
    code = theirs.code(bob, redirect_uri="")
    assert theirs.exchange(code, redirect_uri="").status_code == 200


def test_without_a_scope_everything_the_client_may_is_asked_for(theirs: Program, bob: Client) -> None:
    page = bob.get(theirs.address(scope=""))
    assert "See what is live and who is in" in page.text


def test_only_applications_of_others_ask(cast: Cast, bob: Client) -> None:
    for kind in (ClientKind.CREDENTIAL, ClientKind.FIRST_PARTY):
        answer = bob.get(program(cast, kind).address())
        assert answer.status_code == 400
        assert not answer.location


def test_rights_of_staff_are_given_by_staff_only(cast: Cast, bob: Client) -> None:
    eager = program(cast, ClientKind.THIRD_PARTY, user="admin", scopes=[Scope.ROOMS_READ, Scope.ADMIN])
    assert "platform staff" not in bob.get(eager.address(scope="rooms.read admin")).text
    pair = eager.exchange(eager.code(bob, scope="rooms.read admin")).get_json()
    assert pair["scope"] == "rooms.read"
    back = bob.get(eager.address(scope="admin"))  # nothing is left of it, and nothing is never everything
    assert back.status_code == 303
    assert said_in(back)["error"] == "invalid_scope"
    ada = cast.sign_in("admin")
    assert "platform staff" in ada.get(eager.address(scope="rooms.read admin")).text


@BOTH
def test_a_code_works_once_and_coming_again_ends_what_it_became(theirs: Program, bob: Client) -> None:
    code = theirs.code(bob)
    pair = theirs.exchange(code).get_json()
    assert theirs.active(pair["access_token"])
    again = theirs.exchange(code)
    assert again.status_code == 400
    assert again.get_json()["error"] == "invalid_grant"
    assert not theirs.active(pair["access_token"])
    assert not theirs.active(pair["refresh_token"])


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "b" * 50}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_grant"),
        ({"code": "fc_x"}, "invalid_grant"),
        ({"code": ""}, "invalid_request"),
    ],
)
def test_a_code_alone_is_worth_nothing(theirs: Program, bob: Client, more: dict[str, str], error: str) -> None:
    code = theirs.code(bob)
    refused = theirs.exchange(**{"code": code, **more})
    assert refused.status_code == 400
    assert refused.get_json()["error"] == error
    assert theirs.exchange(code).status_code == 200


def test_a_code_belongs_to_the_client_that_asked(theirs: Program, bob: Client, cast: Cast) -> None:
    code, other = theirs.code(bob), program(cast, ClientKind.THIRD_PARTY, user="charlie")
    assert other.exchange(code).get_json()["error"] == "invalid_grant"
    pair = theirs.exchange(code).get_json()
    assert other.exchange(code).get_json()["error"] == "invalid_grant"
    assert theirs.active(pair["access_token"])


def test_a_code_lives_for_a_minute(theirs: Program, bob: Client) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        code = theirs.code(bob)
        late = theirs.code(bob)
        clock.shift(timedelta(seconds=59))
        assert theirs.exchange(code).status_code == 200
        clock.shift(timedelta(seconds=1))
        assert theirs.exchange(late).get_json()["error"] == "invalid_grant"


def test_a_code_ends_with_the_password_and_the_person(theirs: Program, bob: Client, app: Flask, cast: Cast) -> None:
    code = theirs.code(bob)
    with app.app_context(), transaction():
        set_password(cast.user("bob"), passwords.checked_hash("another-password"))
    assert theirs.exchange(code).get_json()["error"] == "invalid_grant"
    alices = theirs.code(cast.sign_in("alice"))
    with app.app_context(), transaction():
        cast.user("alice").deactivated_at = now()
    assert theirs.exchange(alices).get_json()["error"] == "invalid_grant"


def test_a_revoked_application_can_neither_ask_nor_exchange(theirs: Program, bob: Client, app: Flask) -> None:
    code = theirs.code(bob)
    with app.app_context(), transaction():
        client = session.scalars(sa.select(OAuthClient)).unique().one()
        revoke_client(client, by=actor_of(client.user))
    assert theirs.exchange(code).status_code == 401
    assert bob.get(theirs.address()).status_code == 400


def test_applications_are_listed_for_whoever_authorised_them_and_end_there(
    theirs: Program, bob: Client, cast: Cast
) -> None:
    first, second = theirs.exchange(theirs.code(bob)), theirs.exchange(theirs.code(bob, scope="status.read"))
    listed = bob.get("/me/applications").text
    assert listed.count("Reporter</bdi></span>") == 1
    assert "See what is live and who is in" in listed
    for who in ("alice", "charlie"):
        stranger = cast.sign_in(who)
        assert "Reporter" not in stranger.get("/me/applications").text
        assert stranger.get(f"/me/applications/{theirs.client_id}/revocation").status_code == 404
    path = f"/me/applications/{theirs.client_id}/revocation"
    assert "no longer act in your name" in bob.get(path).text
    assert bob.send(path).status_code == 303
    assert "Reporter</bdi></span>" not in bob.get("/me/applications").text
    for pair in (first, second):
        assert not theirs.active(pair.get_json()["access_token"])
        assert not theirs.active(pair.get_json()["refresh_token"])
    assert bob.get(path).status_code == 404


def test_ending_an_application_leaves_what_others_allowed_it(theirs: Program, bob: Client, cast: Cast) -> None:
    alices = theirs.exchange(theirs.code(cast.sign_in("alice"))).get_json()
    theirs.exchange(theirs.code(bob))
    bob.send(f"/me/applications/{theirs.client_id}/revocation")
    assert theirs.active(alices["access_token"])
