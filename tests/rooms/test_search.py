"""Search finds the same rooms on both databases, by an index, whatever people type."""

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import revisions
from portal.accounts.models import Account
from portal.db import db, session
from portal.people.actor import actor_of
from portal.rooms.models import Room
from portal.rooms.operations import describe_room
from portal.rooms.search import matches
from portal.search_terms import search_terms
from tests.cast import Cast, editable, new_room
from tests.conftest import BOTH

NAMES = [
    "Réunion d'équipe",
    "Follow-up: Q3 (draft)",
    "Room 3.14",
    "www.example.com/a/b",
    "🎉 Party",
    "東京 会議",
    "STRASSE Straße",
    "C & A",
]


@pytest.fixture
def rooms(app: Flask, cast: Cast, in_app: None) -> None:
    """The demo's rooms (Board meeting, Open house) and eight more, which just fit into Acme's plan."""
    account = (
        session.scalars(sa.select(Account).join(Account.customer).where(Account.customer.has(company_name="Acme")))
        .unique()
        .one()
    )
    for name in NAMES:
        new_room(account=account, room_name=name, by=actor_of(cast.user("alice")))
    session.commit()


def found(text: str) -> set[str]:
    return set(session.scalars(sa.select(Room.room_name).where(matches(text))))


@BOTH
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("boa", {"Board meeting"}),
        ("MEET", {"Board meeting"}),
        ("oard", set()),
        ("meet bo", {"Board meeting"}),
        ("meet open", set()),
        ("reunion", {"Réunion d'équipe"}),
        ("RÉUN ÉQ", {"Réunion d'équipe"}),
        ("re\u0301union", {"Réunion d'équipe"}),
        ("d'équipe", {"Réunion d'équipe"}),
        ("follow-up", {"Follow-up: Q3 (draft)"}),
        ("up", {"Follow-up: Q3 (draft)"}),
        ("-up", {"Follow-up: Q3 (draft)"}),
        ("(draft)", {"Follow-up: Q3 (draft)"}),
        ("3.14", {"Room 3.14"}),
        ("14", {"Room 3.14"}),
        ("example.c", {"www.example.com/a/b"}),
        ("a/b", {"www.example.com/a/b"}),
        ("🎉", {"🎉 Party"}),
        ("🎉part", {"🎉 Party"}),
        ("会", {"東京 会議"}),
        ("京会議", {"東京 会議"}),
        ("大", set()),
        ("strasse", {"STRASSE Straße"}),
        ("straß", {"STRASSE Straße"}),
        ("c & a", {"C & A", "www.example.com/a/b"}),
        ("a", {"C & A", "www.example.com/a/b"}),
        ("AND", set()),
        ("party OR board", set()),
        ("board NOT party", set()),
        ("NEAR(board meeting)", set()),
        ("room_name:board", set()),
        ('"board', {"Board meeting"}),
        ("board*", {"Board meeting"}),
        ("board:*", {"Board meeting"}),
        ("!board", {"Board meeting"}),
        ("board | party", set()),
        ("boa'rd", set()),
        ("x" * 5000, set()),
        ("board " * 200, {"Board meeting"}),
        ("?!", set()),
        ("&|!*:()\"'\\", set()),
        ("\x00board", {"Board meeting"}),
        ("\ud800", set()),
    ],
)  # fmt: skip
def test_both_databases_find_the_same(rooms: None, text: str, names: set[str]) -> None:
    assert found(text) == names


@BOTH
@pytest.mark.parametrize("text", ["", "  ", "\t\n"])
def test_nothing_typed_narrows_nothing(rooms: None, text: str) -> None:
    assert len(found(text)) == len(NAMES) + 2


@BOTH
def test_the_index_follows_every_change_of_a_name(rooms: None, cast: Cast) -> None:
    alice = actor_of(cast.user("alice"))
    describe_room(editable(cast.room(), alice), by=alice, room_name="Supervisory board")
    session.commit()
    assert (found("meeting"), found("superv")) == (set(), {"Supervisory board"})
    party = session.scalars(sa.select(Room).where(Room.room_name == "🎉 Party")).one()
    session.execute(sa.delete(Room).where(Room.uuid == party.uuid))
    session.commit()
    assert found("party") == set()


@BOTH
def test_no_input_is_a_syntax_error(rooms: None) -> None:
    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.text(max_size=60), st.text(alphabet="ab &|!*:()\"'\\-+^{}[]<>~,;#@%_$\x00", max_size=30)))
    def search(text: str) -> None:
        found(text)

    search()


@given(st.text(max_size=80))
def test_words_are_cut_alike_however_often_and_have_no_gap_inside(text: str) -> None:
    words = search_terms(text)
    assert search_terms(" ".join(words)) == words
    assert all(word and not any(char.isspace() or char in "\"'&|!*:()\\" for char in word) for word in words)


@BOTH
def test_search_reads_the_index(rooms: None) -> None:
    query = sa.select(Room.uuid).where(matches("board"))
    bound = query.compile(db.engine, compile_kwargs={"literal_binds": True})
    if db.engine.dialect.name == "postgresql":
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))  # ten rooms would rather be read one by one
        plan = "\n".join(session.scalars(sa.text(f"EXPLAIN {bound}")))
        assert "ix_rooms_name_words" in plan
    else:
        plan = "\n".join(row[3] for row in session.execute(sa.text(f"EXPLAIN QUERY PLAN {bound}")))
        assert "VIRTUAL TABLE INDEX" in plan
        assert "SCAN rooms" not in plan


@BOTH
def test_rooms_from_before_the_index_are_found_after_the_migration(app: Flask, rooms: None) -> None:
    revisions.downgrade("0001")
    revisions.upgrade()
    assert found("part") == {"🎉 Party"}
    assert found("reun") == {"Réunion d'équipe"}
