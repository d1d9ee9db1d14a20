"""Finding the token that was presented, and what is left of secrets."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.clock import now
from portal.credentials import clients
from portal.credentials.models import ClientKind, Grant, OAuthClient
from portal.credentials.operations import sweep_tokens
from portal.credentials.presented import find_access_token
from portal.credentials.secrets import ACCESS, CLIENT, CODE, REFRESH
from portal.credentials.tokens import AccessToken, AuthorizationCode, RefreshToken
from portal.db import Base, db, session, transaction
from portal.errors import Conflict, Invalid
from portal.people.actor import actor_of
from portal.permissions.permission import Permission
from portal.scopes import Scope
from tests.cast import Cast
from tests.conftest import BOTH
from tests.oauth.programs import READS, program


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is said to the database."""
    said: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield said
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", listen)


@BOTH
def test_finding_a_token_with_all_that_is_needed_of_it_is_one_statement(app: Flask, cast: Cast) -> None:
    text = program(cast, ClientKind.CREDENTIAL, user="admin").pair("client_credentials")["access_token"]
    with app.app_context(), statements() as said:
        token = find_access_token(text)
        assert token is not None
        assert token.client_id
        assert token.actor.user.email == "admin@demo.example"
        assert token.actor.staff == frozenset()  # without the scope `admin`
    assert len(said) == 1


def test_what_cannot_be_a_token_costs_no_statement(app: Flask) -> None:
    misspelled = ["", "fa_", "fa_" + "a" * 49, "é" * 52, "\0", "x" * 10_000]
    others = [REFRESH.new(), ACCESS.new()[:-1], ACCESS.new() + "\n", " " + ACCESS.new()]
    with app.app_context(), statements() as said:
        for text in misspelled + others:
            assert find_access_token(text) is None
    assert said == []


def test_a_token_nobody_issued_is_not_found(app: Flask) -> None:
    with app.app_context(), statements() as said:
        assert find_access_token(ACCESS.new()) is None
    assert len(said) == 1


@BOTH
def test_a_dump_of_every_table_holds_no_secret_of_a_program(app: Flask, cast: Cast) -> None:
    theirs, own = program(cast, ClientKind.THIRD_PARTY), program(cast, ClientKind.FIRST_PARTY)
    code = theirs.code(cast.sign_in("bob"))
    pairs = [theirs.exchange(code).get_json(), own.pair()]
    pairs.append(own.pair("refresh_token", refresh_token=pairs[1]["refresh_token"]))
    unused = theirs.code(cast.sign_in("alice"))
    own.token("refresh_token", refresh_token=pairs[1]["refresh_token"])
    with app.app_context():
        dump = "\n".join(repr(tuple(row)) for table in Base.metadata.sorted_tables for row in _rows(table))
    assert "Reporter" in dump  # the dump is real
    assert "grant.stolen" in dump
    secrets = [theirs.secret, own.secret, code, unused, *(p["access_token"] for p in pairs)]
    secrets += [p["refresh_token"] for p in pairs]
    assert len(secrets) == 10
    for secret in secrets:
        assert secret not in dump
        assert secret[3:-6] not in dump


def test_each_kind_of_secret_says_what_it_is_and_none_passes_for_another() -> None:
    spellings = [ACCESS, REFRESH, CLIENT, CODE]
    for spelling in spellings:
        text = spelling.new()
        assert text[:3] in {"fa_", "fr_", "fs_", "fc_"}
        assert [one.fits(text) for one in spellings].count(True) == 1
        assert len(text) == 52


def test_scopes_are_offered_as_far_as_they_mean_something(app: Flask, cast: Cast) -> None:
    with app.app_context():
        assert clients.offered_scopes(cast.user("admin")) == list(Scope)
        assert Scope.ADMIN not in clients.offered_scopes(cast.user("alice"))
        alice = cast.user("alice")
        with pytest.raises(Invalid) as refused:
            clients.create_client(user=alice, by=actor_of(alice), name="X", scopes=[Scope.ADMIN])
        assert set(refused.value.fields) == {"scopes"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"description": "x" * 501}, "description"),
        ({"scopes": []}, "scopes"),
        ({"expires_at": now()}, "expires_at"),
        ({"redirect_uris": ["https://app.example/"]}, "redirect_uris"),
        ({"kind": ClientKind.THIRD_PARTY}, "redirect_uris"),
        ({"kind": ClientKind.THIRD_PARTY, "redirect_uris": ["https://a.example/"] * 11}, "redirect_uris"),
    ],
)
def test_what_makes_no_client_is_refused_beside_its_field(
    app: Flask, cast: Cast, wrong: dict[str, Any], field: str
) -> None:
    with app.app_context():
        alice = cast.user("alice")
        good: dict[str, Any] = {"user": alice, "by": alice, "name": "Reporter", "scopes": READS}
        with pytest.raises(Invalid) as refused:
            clients.create_client(**{**good, **wrong})
        assert set(refused.value.fields) == {field}


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("https://app.example/back", True),
        ("https://app.example:8443/back?from=foyer", True),
        ("http://127.0.0.1:5000/back", True),
        ("http://[::1]:5000/back", True),
        ("http://app.example/back", False),
        ("https://app.example/back#part", False),
        ("https://user@app.example/", False),
        ("https://*.app.example/", False),
        ("https:///back", False),
        ("https://app.example:port/", False),
        ("javascript:alert(1)", False),
        ("//app.example", False),
        ("https://app.example/\nx", False),
        ("https://é.example/", False),
        ("https://app.example/" + "x" * 500, False),
    ],
)
def test_addresses_to_return_to(app: Flask, cast: Cast, uri: str, good: bool) -> None:
    with app.app_context():
        alice = cast.user("alice")
        with nullcontext() if good else pytest.raises(Invalid, check=lambda one: set(one.fields) == {"redirect_uris"}):
            clients.create_client(
                user=alice, by=actor_of(alice), name="X", scopes=READS, kind=ClientKind.THIRD_PARTY, redirect_uris=[uri]
            )


@BOTH
def test_a_promised_id_makes_one_client(app: Flask, cast: Cast) -> None:
    with app.app_context():
        alice = cast.user("alice")
        clients.create_client(user=alice, by=actor_of(alice), name="X", scopes=READS, client_id="1111111111")
        with pytest.raises(Conflict):
            clients.create_client(user=alice, by=actor_of(alice), name="Y", scopes=READS, client_id="1111111111")
        session.rollback()


@BOTH
def test_last_use_moves_on_once_an_hour(app: Flask, cast: Cast) -> None:
    program(cast, ClientKind.CREDENTIAL)
    with app.app_context(), time_machine.travel(now(), tick=False) as clock:
        client = session.scalars(sa.select(OAuthClient)).unique().one()
        assert clients.due(client.last_used_at)
        seen = []
        for minutes in (0, 59, 1):
            clock.shift(timedelta(minutes=minutes))
            with transaction():
                clients.mark_used(client.uuid)
            seen.append(session.scalars(sa.select(OAuthClient.last_used_at)).one())
            session.rollback()
        assert seen[0] == seen[1] != seen[2] == now()


@BOTH
def test_what_ended_long_ago_is_swept_away_and_what_lives_stays(app: Flask, cast: Cast) -> None:
    own, theirs = program(cast, ClientKind.FIRST_PARTY), program(cast, ClientKind.THIRD_PARTY)
    with time_machine.travel(now() - timedelta(days=2, hours=12), tick=False):
        first = own.pair()
        theirs.exchange(theirs.code(cast.sign_in("bob")))
    with app.app_context(), transaction():
        sweep_tokens()
    with app.app_context():
        assert _count(AccessToken) == _count(AuthorizationCode) == 0
        assert _count(RefreshToken) == _count(Grant) == 2
    with app.app_context(), time_machine.travel(now() + timedelta(days=9), tick=False), transaction():
        sweep_tokens()
        assert _count(RefreshToken) == _count(Grant) == 0
    assert not own.active(first["refresh_token"])


def test_every_permission_has_its_scope_and_every_scope_its_sentence() -> None:
    assert {permission.scope for permission in Permission} <= set(Scope)
    assert len({scope.label for scope in Scope}) == len(Scope)


def _rows(table: sa.Table) -> list[Any]:
    return list(session.execute(sa.select(table)))


def _count(kind: type[Base]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(kind)) or 0
