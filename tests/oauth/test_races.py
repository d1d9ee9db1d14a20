"""Two who come with the same token or code at the same moment, on both databases."""

import threading
from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.credentials.models import ClientKind, Grant
from portal.credentials.tokens import RefreshToken
from portal.db import session, transaction
from tests.cast import Cast
from tests.conftest import BOTH
from tests.oauth.programs import program

RACERS = 6


def race(act: Callable[[], TestResponse]) -> list[TestResponse]:
    answers: list[TestResponse] = []
    start = threading.Barrier(RACERS)

    def run() -> None:
        start.wait(10)
        answers.append(act())

    threads = [threading.Thread(target=run) for _ in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == RACERS
    return answers


@BOTH
def test_of_those_who_trade_in_one_refresh_token_one_gets_a_pair_and_the_family_ends_whole(cast: Cast) -> None:
    own = program(cast, ClientKind.FIRST_PARTY)
    first = own.pair()
    answers = race(lambda: own.token("refresh_token", refresh_token=first["refresh_token"]))
    assert sorted(one.status_code for one in answers) == [200] + [400] * (RACERS - 1)
    assert {one.get_json()["error"] for one in answers if one.status_code == 400} == {"invalid_grant"}
    (pair,) = [one.get_json() for one in answers if one.status_code == 200]
    for text in (first["access_token"], pair["access_token"], pair["refresh_token"]):
        assert not own.active(text)


@BOTH
def test_of_those_who_exchange_one_code_one_gets_tokens_and_they_end(cast: Cast) -> None:
    theirs = program(cast, ClientKind.THIRD_PARTY, user="charlie")
    code = theirs.code(cast.sign_in("bob"))
    answers = race(lambda: theirs.exchange(code))
    assert sorted(one.status_code for one in answers) == [200] + [400] * (RACERS - 1)
    (pair,) = [one.get_json() for one in answers if one.status_code == 200]
    assert not theirs.active(pair["access_token"])
    assert not theirs.active(pair["refresh_token"])


@BOTH
def test_a_stolen_token_that_comes_while_its_successor_is_traded_leaves_nothing_alive(app: Flask, cast: Cast) -> None:
    """Whichever comes first, no token of the family counts afterwards: not even one made at that moment."""
    own = program(cast, ClientKind.FIRST_PARTY)
    first = own.pair()
    second = own.pair("refresh_token", refresh_token=first["refresh_token"])
    texts = [first["refresh_token"], second["refresh_token"]] * (RACERS // 2)
    race(lambda: own.token("refresh_token", refresh_token=texts.pop()))
    with app.app_context(), transaction():
        assert session.scalars(sa.select(Grant.revoked_at)).one() is not None
        assert session.scalar(sa.select(sa.func.count()).select_from(RefreshToken)) in {2, 3}
