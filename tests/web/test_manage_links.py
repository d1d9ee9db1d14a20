"""What owners do with links and codes: making, editing, revoking, and what happens with nonsense."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from portal.admission.models import AccessCode, RoomToken
from portal.clock import now
from portal.db import session, transaction
from portal.rooms.models import Role
from tests.cast import CODE, Cast, Client


@pytest.fixture
def alice(cast: Cast) -> Client:
    return cast.sign_in("alice")


@pytest.fixture
def board(cast: Cast) -> str:
    return f"/manage/rooms/{cast.board}"


def test_a_link_is_made_copied_tested_edited_and_revoked(cast: Cast, alice: Client, board: str) -> None:
    made = alice.send(f"{board}/links/new", role="moderator", label="Chair's deputy")
    assert made.status_code == 303
    ledger = alice.get(f"{board}/links").text
    link = re.findall(r'data-copy="(http://[^"]+)"[^>]*aria-label="Copy moderator link Chair', ledger)[0]
    assert link.startswith(f"http://127.0.0.1:8000{cast.board_path}?token=rt_")
    path = link.removeprefix("http://127.0.0.1:8000")
    assert cast.browser().get(path).status_code == 303
    link_id = made.location.rpartition("made=")[2]
    test = alice.get(f"{board}/links/{link_id}/test").text
    assert "Lets people in as Moderator" in test
    edited = alice.send(f"{board}/links/{link_id}/edit", role="guest", label="Visitor", max_uses="3")
    assert edited.status_code == 303
    assert "0 of 3" in alice.get(f"{board}/links").text
    guest = cast.browser()
    guest.get(path)
    assert alice.send(f"{board}/links/{link_id}/revocation", people="stay").status_code == 303
    assert "no longer works" in guest.get(cast.board_path).text
    after = alice.get(f"{board}/links").text
    assert "Undo" in after
    assert path not in after
    assert (
        alice.post(f"{board}/links/{link_id}/reinstatement", data={"csrf_token": alice.token("/me")}).status_code == 303
    )
    assert "Your name" in guest.get(cast.board_path).text


def test_revoking_offers_to_remove_those_inside(cast: Cast, alice: Client, board: str) -> None:
    guest = cast.join(Role.GUEST)
    link = f"{board}/links/{cast.link_ids[Role.GUEST]}/revocation"
    asked = alice.post(link, data={"csrf_token": alice.token("/me")})
    assert "1 person is in the room by this link" in asked.text
    assert guest.get(f"/rooms/{cast.board}/-/conference").status_code == 200
    assert alice.send(link, people="remove").status_code == 303
    assert guest.get(f"/rooms/{cast.board}/-/conference").status_code == 303
    assert "1 person was removed" in alice.get(f"{board}/links").text


def test_expiry_is_read_and_shown_in_the_time_zone_of_the_user(cast: Cast, alice: Client, board: str) -> None:
    alice.send("/me", name="Alice Moreau", timezone="America/New_York")
    made = alice.send(f"{board}/links/new", role="guest", label="NY", expires_at="2027-07-01T18:30")
    link_id = made.location.rpartition("made=")[2]
    with cast.app.app_context():
        token = session.scalars(sa.select(RoomToken).where(RoomToken.id == link_id)).one()
        assert token.expires_at == datetime(2027, 7, 1, 22, 30, tzinfo=UTC)
    assert 'value="2027-07-01T18:30"' in alice.get(f"{board}/links/{link_id}/edit").text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("2027-02-30T10:00", "no such date"),
        ("tomorrow", "no such date"),
        ("2027-03-14T02:30", "Clocks skip"),
        ("0001-01-01T00:00", "no such date"),
        ("2027-01-01T10:00:00+02:00", "no such date"),
    ],
)
def test_dates_that_do_not_exist_are_refused_and_nothing_is_lost(
    alice: Client, board: str, value: str, words: str
) -> None:
    alice.send("/me", name="Alice Moreau", timezone="America/New_York")
    answer = alice.send(f"{board}/links/new", role="guest", label="Kept label", expires_at=value)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="Kept label"' in answer.text
    assert f'value="{value}"' in answer.text


def test_a_link_of_an_unknown_role_is_refused(alice: Client, board: str) -> None:
    assert alice.send(f"{board}/links/new", role="emperor").status_code == 422
    assert alice.send(f"{board}/links/new", role="").status_code == 422


def test_codes_are_typed_or_made_changed_and_deleted(cast: Cast, alice: Client, board: str) -> None:
    assert alice.send(f"{board}/codes/new", role="guest", code="").status_code == 303
    assert alice.send(f"{board}/codes/new", role="moderator", code="open sesame").status_code == 303
    page = alice.get(f"{board}/codes").text
    assert re.search(r">[A-Z2-9]{4}-[A-Z2-9]{4}<", page)
    assert "open sesame" in page
    clash = alice.send(f"{board}/codes/new", role="guest", code="Demo 2026")
    assert clash.status_code == 422
    assert "has this code already" in clash.text
    with cast.app.app_context():
        code_id = session.scalars(sa.select(AccessCode.id).where(AccessCode.code == CODE)).one()
    soon = (now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    edit = f"{board}/codes/{code_id}/edit"
    assert alice.send(edit, role="attendee", code="new-code-1", expires_at=soon).status_code == 303
    with cast.app.app_context(), transaction():
        session.scalars(sa.select(AccessCode).where(AccessCode.id == code_id)).one().expires_at = now()
    assert "attendee links let nobody in" in alice.get(f"{board}/codes").text
    alice.post(f"{board}/codes/{code_id}/deletion", data={"csrf_token": alice.token("/me")})
    assert "attendee links let nobody in" not in alice.get(f"{board}/codes").text
    assert cast.follow(Role.ATTENDEE).send(cast.board_path, name="Gus").status_code == 303
