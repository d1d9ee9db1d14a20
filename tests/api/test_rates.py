"""How often somebody may ask: whose requests are counted together."""

from flask import Flask

from portal.credentials.secrets import ACCESS
from portal.db import db
from tests.api.conftest import NewProgram, Program
from tests.statements import statements


def left(program: Program) -> int:
    """How many requests the one that asks has left."""
    return int(program.get("/features").headers["X-RateLimit-Remaining"])


def test_made_up_tokens_are_counted_together_by_network(app: Flask, program: NewProgram) -> None:
    alice, made_up = program("alice"), [Program(app, ACCESS.new()) for _ in range(4)]
    first = left(made_up[0])
    assert [left(one) for one in made_up[1:]] == [first - 1, first - 2, first - 3]
    assert left(Program(app, "")) == first - 4
    assert left(alice) == first  # who has a good one is not held up by what others in his network make up


def test_a_token_that_no_longer_counts_is_counted_as_none(app: Flask, program: NewProgram) -> None:
    alice, nobody = program("alice"), Program(app, "")
    assert alice.delete("/logout").status_code == 204
    assert left(alice) == left(nobody) + 1


def test_who_asks_is_looked_up_once_whether_known_or_not(app: Flask, program: NewProgram) -> None:
    alice = program("alice")
    alice.get("/features")
    with app.app_context():
        engine = db.engine
    for somebody in (alice, Program(app, ACCESS.new())):
        with statements(engine) as seen:
            somebody.get("/features")
        assert len([line for line in seen if "access_tokens" in line]) == 1
