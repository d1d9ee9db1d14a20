"""Each way to a token, and each way not to get one."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.app import create_app
from portal.clock import now
from portal.credentials.clients import revoke_client
from portal.credentials.models import ClientKind, OAuthClient
from portal.credentials.presented import find_access_token
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.scopes import Scope
from portal.throttling import ThrottleBucket
from tests.cast import PASSWORD, Cast, Client
from tests.conftest import BOTH, settings_for
from tests.oauth.programs import READS, Program, program

DAY = 86_400


@pytest.fixture
def machine(cast: Cast) -> Program:
    return program(cast, ClientKind.CREDENTIAL)


@pytest.fixture
def own(cast: Cast) -> Program:
    return program(cast, ClientKind.FIRST_PARTY)


@BOTH
def test_a_machine_gets_a_token_for_its_credentials(machine: Program, app: Flask) -> None:
    answer = machine.token("client_credentials")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.get_json()
    assert said["token_type"] == "Bearer"
    assert said["expires_in"] == DAY
    assert said["scope"] == "rooms.read status.read"
    assert "refresh_token" not in said
    with app.app_context():
        found = find_access_token(said["access_token"])
        assert found is not None
        assert found.actor.user.email == "alice@demo.example"
        assert found.actor.scopes == frozenset(READS)
        assert found.client_used_at is not None


def test_the_secret_may_stand_in_the_body_but_not_in_both_places(machine: Program, cast: Cast) -> None:
    form = {"grant_type": "client_credentials", "client_id": machine.client_id, "client_secret": machine.secret}
    assert cast.browser().post("/oauth/token", data=form).status_code == 200
    both = machine.token("client_credentials", client_secret=machine.secret)
    assert both.status_code == 400
    assert both.get_json()["error"] == "invalid_request"
    assert cast.browser().post("/oauth/token?" + "&".join(f"{k}={v}" for k, v in form.items())).status_code == 400


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [("", "wrong"), ("1111111111", ""), ("nobody\0", "x"), ("é", "é"), ("", ""), ("11111 1111", "fs_")],
)
def test_clients_that_fail_fail_all_alike(machine: Program, client_id: str, secret: str) -> None:
    answer = machine.post(
        "/oauth/token", auth=(client_id or machine.client_id, secret), grant_type="client_credentials"
    )
    assert answer.status_code == 401
    assert answer.get_json() == {"error": "invalid_client", "error_description": "Client authentication failed."}
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="foyer"'
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["Basic !!!", "Basic /w==", "Basic", "Bearer x", "", "Basic OjpeOg=="])
def test_a_header_that_makes_no_sense_is_no_credential(cast: Cast, header: str) -> None:
    answer = cast.browser().post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": header}
    )
    assert answer.status_code == 401
    assert answer.get_json()["error"] == "invalid_client"


def test_wrong_secrets_keep_out_their_own_client_and_good_ones_cost_no_tries(machine: Program, cast: Cast) -> None:
    for _ in range(32):
        assert machine.token("client_credentials").status_code == 200
    for client_id in ("made-up", machine.client_id):  # an answer does not tell which of them exists
        answers = [
            machine.post("/oauth/token", auth=(client_id, "wrong"), grant_type="client_credentials") for _ in range(31)
        ]
        assert [one.status_code for one in answers] == [401] * 30 + [429]
        assert answers[-1].get_json()["error"] == "temporarily_unavailable"
        assert int(answers[-1].headers["Retry-After"]) > 0
    assert machine.token("client_credentials").status_code == 429  # so guessing this client is bounded
    assert program(cast, ClientKind.CREDENTIAL).token("client_credentials").status_code == 200
    away = Program(cast, machine.client_id, machine.secret, network="192.0.2.7")
    assert away.token("client_credentials").status_code == 200


@BOTH
def test_made_up_clients_are_counted_by_network_and_hinder_no_real_one(machine: Program, app: Flask) -> None:
    statuses = [
        machine.post("/oauth/token", auth=(f"made-up-{number}", "x"), grant_type="client_credentials").status_code
        for number in range(302)
    ]
    assert statuses == [401] * 300 + [429] * 2
    with app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(ThrottleBucket)) == 301
    wrong = [machine.post("/oauth/token", auth=(machine.client_id, "x"), grant_type="client_credentials")]
    assert [one.status_code for one in wrong] == [429]
    assert machine.token("client_credentials").status_code == 200


def test_guesses_are_counted_for_their_client_even_where_the_network_may_guess_no_more(machine: Program) -> None:
    for number in range(300):
        machine.post("/oauth/token", auth=(f"made-up-{number}", "x"), grant_type="client_credentials")
    for _ in range(30):
        wrong = machine.post("/oauth/token", auth=(machine.client_id, "x"), grant_type="client_credentials")
        assert wrong.status_code == 429
    assert machine.token("client_credentials").status_code == 429


def test_a_machine_gets_fewer_scopes_when_it_asks_for_fewer_and_never_more(machine: Program) -> None:
    assert machine.pair("client_credentials", scope="status.read")["scope"] == "status.read"
    for scope in ("rooms.write", "rooms.read admin", "nonsense", "rooms.read nonsense"):
        refused = machine.token("client_credentials", scope=scope)
        assert refused.status_code == 400
        assert refused.get_json()["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("kind", "grant_type"),
    [
        (ClientKind.CREDENTIAL, "password"),
        (ClientKind.CREDENTIAL, "refresh_token"),
        (ClientKind.CREDENTIAL, "authorization_code"),
        (ClientKind.FIRST_PARTY, "client_credentials"),
        (ClientKind.THIRD_PARTY, "password"),
        (ClientKind.THIRD_PARTY, "client_credentials"),
    ],
)
def test_each_kind_of_client_has_its_own_ways(cast: Cast, kind: ClientKind, grant_type: str) -> None:
    refused = program(cast, kind).token(grant_type, username="alice@demo.example", password=PASSWORD)
    assert refused.status_code == 400
    assert refused.get_json()["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "urn:x"}, "unsupported_grant_type"),
        ({"grant_type": "é"}, "invalid_request"),
        ({"grant_type": "client_credentials", "scope": "é"}, "invalid_request"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, "invalid_request"),
        ({"grant_type": "client_credentials", "scope": 'a"b'}, "invalid_request"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_as_rfc_6749_spells_it(
    cast: Cast, form: dict[str, str], error: str
) -> None:
    answer = cast.browser().post("/oauth/token", data=form)
    assert answer.status_code == 400
    assert answer.get_json()["error"] == error
    assert answer.headers["Cache-Control"] == "no-store"


def test_json_and_too_much_are_refused_in_the_same_shape(cast: Cast) -> None:
    assert cast.browser().post("/oauth/token", json={"grant_type": "password"}).get_json()["error"] == "invalid_request"
    huge = cast.browser().post("/oauth/token", data={"grant_type": "x" * 2_000_000})
    assert huge.status_code == 413
    assert huge.get_json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (sa.exc.OperationalError("SELECT", None, Exception("away")), 503, "temporarily_unavailable"),
        (RuntimeError("secret detail"), 500, "server_error"),
    ],
)
def test_trouble_of_ours_is_told_in_the_same_shape_and_without_details(
    machine: Program, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, word: str
) -> None:
    def fail(_client_id: str) -> None:
        raise error

    monkeypatch.setattr("portal.credentials.clients.find_client", fail)
    answer = machine.token("client_credentials")
    assert answer.status_code == status
    assert answer.get_json()["error"] == word
    assert "detail" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_tokens_end_with_their_time(own: Program) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        pair = own.pair()
        clock.shift(timedelta(minutes=1439, seconds=59))
        assert own.active(pair["access_token"])
        clock.shift(timedelta(seconds=1))
        assert not own.active(pair["access_token"])
        clock.shift(timedelta(minutes=10_800 - 1440) - timedelta(seconds=1))
        assert own.active(pair["refresh_token"])
        clock.shift(timedelta(seconds=1))
        assert own.token("refresh_token", refresh_token=pair["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_client_ends_with_its_time_and_takes_its_tokens_along(machine: Program, app: Flask) -> None:
    text = machine.pair("client_credentials")["access_token"]
    with app.app_context(), transaction():
        session.execute(sa.update(OAuthClient).values(expires_at=now() - timedelta(seconds=1)))
    assert machine.token("client_credentials").status_code == 401
    with app.app_context():
        assert find_access_token(text) is None


def test_a_revoked_client_is_shut_out_with_its_tokens(machine: Program, app: Flask) -> None:
    text = machine.pair("client_credentials")["access_token"]
    with app.app_context(), transaction():
        client = session.scalars(sa.select(OAuthClient)).unique().one()
        revoke_client(client, by=actor_of(client.user))
    assert machine.token("client_credentials").status_code == 401
    with app.app_context():
        assert find_access_token(text) is None


def test_a_deactivated_person_has_no_programs(own: Program, machine: Program, cast: Cast, app: Flask) -> None:
    pair, text = own.pair(), machine.pair("client_credentials")["access_token"]
    with app.app_context(), transaction():
        cast.user("alice").deactivated_at = now()
    with app.app_context():
        assert find_access_token(pair["access_token"]) is None
        assert find_access_token(text) is None
    assert machine.token("client_credentials").status_code == 401
    assert own.token("refresh_token", refresh_token=pair["refresh_token"]).status_code == 401


def test_lifetimes_are_settings(database: str, tmp_path: object) -> None:
    app = create_app(settings_for(database, tmp_path, access_token_minutes=2, refresh_token_minutes=3))  # type: ignore[arg-type]
    app.test_client_class = Client
    own = program(Cast(app), ClientKind.FIRST_PARTY)
    pair = own.pair()
    assert pair["expires_in"] == 120
    said = own.post("/oauth/introspect", token=pair["refresh_token"]).get_json()
    assert said["exp"] - said["iat"] == 180
    with app.app_context():
        session.get_bind().dispose()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("base_url", "scheme", "status"),
    [
        ("http://rooms.example", "http", 400),
        ("http://rooms.example", "https", 400),
        ("https://rooms.example", "http", 400),
        ("https://rooms.example", "https", 401),
        ("http://127.0.0.1:8000", "http", 401),
        ("http://[::1]:8000", "http", 401),
        ("http://foyer.localhost", "http", 401),
    ],
)
def test_plain_http_is_refused_except_on_this_machine(
    database: str, tmp_path: object, base_url: str, scheme: str, status: int
) -> None:
    app = create_app(settings_for(database, tmp_path, base_url=base_url))  # type: ignore[arg-type]
    answer = app.test_client().post(
        "/oauth/token", data={"grant_type": "client_credentials"}, base_url=f"{scheme}://{urlsplit(base_url).netloc}"
    )
    assert answer.status_code == status
    assert (answer.get_json()["error"] == "insecure_transport") is (status == 400)
    with app.app_context():
        session.get_bind().dispose()  # type: ignore[union-attr]


def test_the_server_describes_itself(cast: Cast) -> None:
    from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

    said = cast.browser().get("/.well-known/oauth-authorization-server").get_json()
    AuthorizationServerMetadata(said).validate()
    assert said["issuer"] == "http://127.0.0.1:8000"
    assert said["token_endpoint"] == "http://127.0.0.1:8000/oauth/token"
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["scopes_supported"] == [scope.value for scope in Scope]
    assert said["authorization_response_iss_parameter_supported"] is True


def test_a_session_cookie_counts_for_nothing_here(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    answer = alice.post("/oauth/token", data={"grant_type": "client_credentials"})
    assert answer.status_code == 401
