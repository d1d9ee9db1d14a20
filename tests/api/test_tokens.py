import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.clock import now
from portal.credentials.models import Grant
from portal.db import session, transaction
from portal.permissions.members import RoomMember
from portal.rooms.models import Role
from portal.scopes import Scope
from portal.status.models import Participation
from tests.api.conftest import NewProgram
from tests.cast import Cast, Client
from tests.conftest import BOTH


def test_the_source_example_works_as_it_stands(cast: Cast, program: NewProgram) -> None:
    made = program("alice").post(f"/rooms/{cast.board}/tokens", {"role": "moderator", "expires_at": "2021-01-01"})
    assert made.status_code == 201
    token = made.json["data"]
    assert {"id", "token", "role", "url", "expires_at", "last_usage"} <= set(token)
    assert token["role"] == "moderator"
    assert token["expires_at"] == "2021-01-01T00:00:00Z"
    assert token["last_usage"] is None
    assert token["url"].endswith(f"/rooms/{cast.board}/board-meeting?token={token['token']}")


def test_a_token_made_by_a_program_opens_the_room(cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    token = alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest", "person": "Jun"}).json["data"]
    guest = cast.browser()
    assert guest.get(token["url"].removeprefix("http://127.0.0.1:8000")).status_code == 303
    assert guest.send(cast.board_path, name="Jun").status_code == 303
    read = alice.get(f"/rooms/{cast.board}/tokens/{token['id']}").json["data"]
    assert read["use_count"] == 1
    assert read["last_usage"] is not None


def test_a_token_is_changed_paused_and_revoked(cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    made = alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest", "label": "Press", "max_uses": 3}).json["data"]
    path = f"/rooms/{cast.board}/tokens/{made['id']}"
    changed = alice.patch(path, {"label": "Radio", "max_uses": None, "paused": True}).json["data"]
    assert (changed["label"], changed["max_uses"], changed["paused"]) == ("Radio", None, True)
    assert (changed["token"], changed["role"]) == (made["token"], "guest")
    assert alice.patch(path, {"paused": False}).json["data"]["paused"] is False
    assert alice.delete(path).status_code == 204
    assert alice.get(path).status_code == 404
    assert alice.delete(path).status_code == 404
    assert made["id"] not in {one["id"] for one in alice.get(f"/rooms/{cast.board}/tokens").json["data"]}


def test_moments_say_their_zone(cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    path = f"/rooms/{cast.board}/tokens"
    for wrong in (
        "2027-01-31T18:30:00",
        "2027-02-30",
        "tomorrow",
        "",
        5,
        "0000-00-00",
        "2026-W01-1",
        "20270131",
        "2027-W05-7T18:30:00Z",
    ):
        answer = alice.post(path, {"role": "guest", "expires_at": wrong})
        assert answer.status_code == 422, wrong
        assert list(answer.json["errors"]) == ["expires_at"]
    made = alice.post(path, {"role": "guest", "expires_at": "2027-01-31T18:30:00+01:00"}).json["data"]
    assert made["expires_at"] == "2027-01-31T17:30:00Z"


@BOTH
def test_what_is_read_of_a_moment_finds_its_token_again(cast: Cast, app: Flask, program: NewProgram) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}/tokens"
    made = alice.post(path, {"role": "guest", "expires_at": "2030-01-31T18:30:00.987654Z"}).json["data"]
    with app.app_context(), transaction():
        cast.token(Role.GUEST).last_usage = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    assert made["expires_at"] == "2030-01-31T18:30:00Z"
    for name, moment in (("expires_at", "2030-01-31T18:30:00Z"), ("last_usage", "2026-01-02T03:04:05Z")):
        found = alice.get(f"{path}?search={name}:{moment}&searchFields={name}:=").json["data"]
        assert [one[name] for one in found] == [moment]
    for order in ("expires_at", "last_usage"):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = alice.get(f"{path}?orderBy={order}&limit=1&cursor={cursor}").json
            seen += [one["id"] for one in answer["data"]]
            cursor = answer["meta"]["pagination"]["cursor"]["next"]
        assert sorted(seen) == sorted(one["id"] for one in alice.get(path).json["data"])


def test_a_token_is_rotated_with_grace(cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    old = alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest", "label": "Press"}).json["data"]
    new = alice.post(f"/rooms/{cast.board}/tokens/{old['id']}/rotate", {"grace_minutes": 60})
    assert new.status_code == 201, new.text
    assert new.json["data"]["token"] != old["token"]
    assert new.json["data"]["label"] == "Press"


def test_the_token_that_was_replaced_is_paused_and_ends_with_the_new_one(cast: Cast, program: NewProgram) -> None:
    alice, tokens = program("alice"), f"/rooms/{cast.board}/tokens"
    old = alice.post(tokens, {"role": "guest"}).json["data"]
    middle = alice.post(f"{tokens}/{old['id']}/rotate", {"grace_minutes": 60}).json["data"]
    new = alice.post(f"{tokens}/{middle['id']}/rotate", {"grace_minutes": 60}).json["data"]
    join = {"token": old["token"], "name": "Gus"}

    def result() -> tuple[str, str | None]:
        made = program("charlie").post(f"/rooms/{cast.board}/join", join).json["data"]
        return made["result"], made["reason"]

    assert result() == ("enter", None)
    assert alice.patch(f"{tokens}/{new['id']}", {"paused": True}).status_code == 200
    assert result() == ("refuse", "paused")
    assert alice.patch(f"{tokens}/{new['id']}", {"paused": False}).status_code == 200
    assert result() == ("enter", None)
    assert alice.delete(f"{tokens}/{new['id']}").status_code == 204
    assert result() == ("refuse", "revoked")
    for one in (old, middle, new):
        assert alice.get(f"{tokens}/{one['id']}").status_code == 404


def test_automatic_tokens_are_listed_on_demand(cast: Cast, program: NewProgram) -> None:
    cast.browser().send(cast.open_path, name="Pat")
    alice = program("alice")
    assert alice.get(f"/rooms/{cast.open_house}/tokens").json["data"] == []
    listed = alice.get(f"/rooms/{cast.open_house}/tokens?automatic=true").json["data"]
    assert [token["automatic"] for token in listed] == [True]


def test_an_automatic_token_can_be_stopped_and_not_be_changed(cast: Cast, program: NewProgram) -> None:
    cast.browser().send(cast.open_path, name="Pat")
    alice = program("alice")
    (token,) = alice.get(f"/rooms/{cast.open_house}/tokens?automatic=true").json["data"]
    path = f"/rooms/{cast.open_house}/tokens/{token['id']}"
    for change in ({"role": "moderator"}, {"expires_at": None}, {"person": "Pat"}):
        answer = alice.patch(path, change)
        assert answer.status_code == 409
        assert "came by itself" in answer.json["message"]
    assert alice.get(path).json["data"]["role"] == "guest"
    assert alice.patch(path, {"paused": True}).json["data"]["paused"] is True
    page = cast.sign_in("alice").send(f"/manage/rooms/{cast.open_house}/links/{token['id']}/edit", role="moderator")
    assert page.status_code == 409
    assert "came by itself" in page.text


def test_a_token_below_another_room_is_none(cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    token = alice.get(f"/rooms/{cast.board}/tokens").json["data"][0]
    for method in ("GET", "DELETE"):
        assert alice.call(method, f"/rooms/{cast.open_house}/tokens/{token['id']}").status_code == 404
    assert alice.patch(f"/rooms/{cast.open_house}/tokens/{token['id']}", {"label": "x"}).status_code == 404
    assert alice.post(f"/rooms/{cast.open_house}/tokens/{token['id']}/rotate", {}).status_code == 404


def test_the_access_check_explains_and_uses_nothing_up(cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    token = alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest", "not_before": soon}).json["data"]
    found = alice.get(f"/rooms/{cast.board}/access-check?token={token['token']}").json["data"]
    assert (found["result"], found["wait_for"]) == ("wait", "opening")
    assert [check["outcome"] for check in found["checks"]].count("stopped") == 1
    assert alice.get(f"/rooms/{cast.board}/access-check").json["data"]["reason"] == "unknown"
    assert alice.get(f"/rooms/{cast.board}/access-check?token=rt_nonsense").json["data"]["reason"] == "unknown"
    assert alice.get(f"/rooms/{cast.board}/tokens/{token['id']}").json["data"]["last_usage"] is None


def test_join_answers_an_address_that_opens_the_room_once(cast: Cast, program: NewProgram) -> None:
    alice, charlie = program("alice"), program("charlie")
    token = alice.post(f"/rooms/{cast.board}/tokens", {"role": "attendee"}).json["data"]["token"]
    path = f"/rooms/{cast.board}/join"
    wrong = charlie.post(path, {"token": token, "name": "Jun", "code": "wrong"}).json["data"]
    assert (wrong["result"], wrong["reason"], wrong["entry_url"]) == ("refuse", "code wrong", None)
    entry = charlie.post(path, {"token": token, "name": "Jun", "code": "demo 2026"}).json["data"]
    assert (entry["result"], entry["role"]) == ("enter", "attendee")
    guest = cast.browser()
    first = guest.get(entry["entry_url"].removeprefix("http://127.0.0.1:8000"), follow_redirects=True)
    assert first.status_code == 200, first.text
    assert charlie.post(path, {}).status_code == 404
    assert charlie.post(path, {"token": "rt_nonsense", "name": "Jun"}).status_code == 404
    member = alice.post(path, {}).json["data"]
    assert (member["result"], member["role"]) == ("enter", "moderator")


@pytest.mark.parametrize(
    ("scopes", "role"), [((Scope.ROOMS_READ,), "attendee"), ((Scope.ROOMS_READ, Scope.ROOMS_WRITE), "moderator")]
)
def test_whom_a_program_lets_in_is_no_more_than_the_program(
    cast: Cast, program: NewProgram, scopes: tuple[Scope, ...], role: str
) -> None:
    """Alice may moderate; what she hands to a program with less must not, and stays so once she is in."""
    entry = program("alice", *scopes).post(f"/rooms/{cast.board}/join", {}).json["data"]
    assert (entry["result"], entry["role"]) == ("enter", role)
    browser = cast.browser()
    page = browser.get(entry["entry_url"].removeprefix("http://127.0.0.1:8000"), follow_redirects=True)
    proof = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert proof
    inside = browser.post(f"/rooms/{cast.board}/-/join-tickets", data={"csrf_token": proof[1]}, follow_redirects=True)
    assert f'data-role="{role}"' in inside.text
    again = browser.get(f"/rooms/{cast.board}/-/conference").text
    assert f'data-role="{role}"' in again


def opened(cast: Cast, entry: dict[str, Any]) -> Client:
    """A browser in which that entry is opened, and its button not yet pressed."""
    browser = cast.browser()
    page = browser.get(entry["entry_url"].removeprefix("http://127.0.0.1:8000"), follow_redirects=True)
    assert page.status_code == 200, page.text
    return browser


def press(cast: Cast, browser: Client) -> Any:
    at = f"/rooms/{cast.board}/-/join-tickets"
    return browser.post(at, data={"csrf_token": browser.token(at)}, follow_redirects=True)


def test_staff_rights_that_a_program_was_not_given_let_nobody_in(app: Flask, cast: Cast, program: NewProgram) -> None:
    """The admin is a member; his program may act on that, and not as platform staff."""
    with app.app_context(), transaction():
        member = RoomMember(room=cast.room(), user=cast.user("admin"), permissions=["room:view", "room:moderate"])
        session.add(member)
    reader = program("admin", Scope.ROOMS_READ, Scope.ROOMS_WRITE)
    entries = [reader.post(f"/rooms/{cast.board}/join", {}).json["data"] for _ in range(2)]
    assert [entry["role"] for entry in entries] == ["moderator", "moderator"]
    inside, later = (opened(cast, entry) for entry in entries)
    assert 'data-role="moderator"' in press(cast, inside).text
    with app.app_context(), transaction():
        session.execute(sa.delete(RoomMember).where(RoomMember.user_uuid == cast.user("admin").uuid))
    assert "You are no longer a member" in inside.get(f"/rooms/{cast.board}/-/conference", follow_redirects=True).text
    assert press(cast, later).status_code >= 400


def test_entries_end_with_what_their_program_was_granted(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    token = alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest"}).json["data"]["token"]
    bodies: list[dict[str, str]] = [{}, {}, {"token": token, "name": "Jun"}]
    made = [alice.post(f"/rooms/{cast.board}/join", body).json["data"] for body in bodies]
    held = [opened(cast, entry) for entry in made[1:]]
    with app.app_context(), transaction():
        session.execute(sa.update(Grant).values(revoked_at=now()))
    unopened = cast.browser().get(made[0]["entry_url"].removeprefix("http://127.0.0.1:8000"), follow_redirects=True)
    assert unopened.status_code == 410
    at = f"/rooms/{cast.board}/-/join-tickets"
    for browser in held:
        assert browser.get(at).status_code == 410
        assert browser.post(at, data={"csrf_token": "x"}).status_code >= 400
    with app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(Participation)) == 0
