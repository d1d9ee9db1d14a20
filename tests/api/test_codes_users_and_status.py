import pytest
import sqlalchemy as sa

from portal.api.v1.users import _users_of
from portal.db import db, session
from portal.people.models import User
from portal.rooms.models import Role
from tests.api.conftest import NewProgram
from tests.cast import Cast
from tests.conftest import BOTH


def test_codes_are_made_chosen_changed_and_deleted(cast: Cast, program: NewProgram) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}/access-codes"
    made = alice.post(path, {"role": "guest"})
    assert made.status_code == 201
    assert len(made.json["data"]["code"]) == len("ABCD-EFGH")
    chosen = alice.post(path, {"role": "guest", "code": "ROOM 2027"}).json["data"]
    assert chosen["code"] == "ROOM 2027"
    again = alice.post(path, {"role": "moderator", "code": "room-2027"})
    assert again.status_code == 422
    assert list(again.json["errors"]) == ["code"]
    own = f"{path}/{chosen['id']}"
    changed = alice.patch(own, {"label": "Press", "expires_at": "2027-01-31"}).json["data"]
    assert (changed["label"], changed["code"]) == ("Press", "ROOM 2027")
    assert alice.delete(own).status_code == 204
    assert alice.delete(own).status_code == 404
    assert program("bob").get(path).status_code == 403
    assert program("charlie").get(path).status_code == 404


def test_users_are_added_changed_and_removed(cast: Cast, program: NewProgram) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}/users"
    assert [user["name"] for user in alice.get(path).json["data"]] == ["Alice Moreau", "Bob Fischer"]
    owner_id = alice.get(f"/rooms/{cast.board}").json["data"]["owner_id"]
    owner = alice.get(f"{path}/{owner_id}").json["data"]
    assert (owner["owner"], owner["name"]) == (True, "Alice Moreau")
    for spelling in (owner["uuid"], owner["ulid"]):
        assert alice.get(f"{path}/{spelling}").json["data"] == owner
    made = alice.post(path, {"email": "charlie@demo.example", "permissions": ["tokens:view"], "until": "2027-06-30"})
    assert made.status_code == 201, made.text
    own = f"{path}/{made.json['data']['id']}"
    assert made.json["data"]["until"] == "2027-06-30T00:00:00.000000Z"
    changed = alice.patch(own, {"permissions": ["status:view"]}).json["data"]
    assert changed["permissions"] == ["room:view", "status:view"]
    assert changed["until"] == "2027-06-30T00:00:00.000000Z"
    assert program("charlie").get(f"/rooms/{cast.board}/status").status_code == 200
    assert alice.delete(own).status_code == 204
    assert program("charlie").get(f"/rooms/{cast.board}").status_code == 404
    assert alice.get(own).status_code == 404


@BOTH
def test_the_owner_is_among_the_users_wherever_they_are_listed(cast: Cast, program: NewProgram) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}/users"
    made = alice.post(path, {"email": "charlie@demo.example", "until": "2027-06-30"})
    assert made.status_code == 201, made.text
    everybody = alice.get(path).json
    included = alice.get(f"/rooms/{cast.board}?include=users").json["data"]["users"]["data"]
    assert everybody["data"] == included
    assert [user["owner"] for user in included] == [True, False, False]
    assert everybody["meta"]["pagination"]["total"] == 3
    assert alice.get(f"{path}/{included[0]['id']}").json["data"] == included[0]
    assert [one["name"] for one in alice.get(f"{path}?search=email:alice@demo.example").json["data"]] == [
        "Alice Moreau"
    ]
    for order in ("name", "created_at", "updated_at", "until", "email", "id"):
        for direction in ("asc", "desc"):
            seen, cursor = [], ""
            while cursor is not None:
                answer = alice.get(f"{path}?orderBy={order}&sortedBy={direction}&limit=1&cursor={cursor}").json
                seen += answer["data"]
                cursor = answer["meta"]["pagination"]["cursor"]["next"]
            assert seen == alice.get(f"{path}?orderBy={order}&sortedBy={direction}").json["data"], order
            assert len(seen) == 3


def test_nobody_grants_what_he_lacks(cast: Cast, program: NewProgram) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}/users"
    bob_id = alice.get(f"{path}?search=bob").json["data"][0]["id"]
    alice.patch(f"{path}/{bob_id}", {"permissions": ["members:manage"]})
    bob = program("bob")
    assert bob.post(path, {"email": "charlie@demo.example", "permissions": ["room:delete"]}).status_code == 403
    assert bob.patch(f"{path}/{bob_id}", {"permissions": ["room:delete"]}).status_code == 403


def test_the_status_is_the_stored_snapshot(cast: Cast, program: NewProgram) -> None:
    alice, bob, path = program("alice"), program("bob"), f"/rooms/{cast.board}/status"
    before = alice.get(path)
    assert (before.json["data"]["status"], before.json["data"]["state"]) == ("inactive", "idle")
    cast.join(Role.GUEST, name="Gus")
    cast.join(Role.MODERATOR, name="Mo")
    now = bob.get(path).json["data"]
    assert (now["status"], now["state"]) == ("active", "live")
    assert now["counts"] == {"participants": 2, "moderators": 1, "attendees": 0, "guests": 1, "reconnecting": 0}
    assert now["names"] == ["Gus", "Mo"]
    assert alice.get(path, If_None_Match=before.headers["ETag"]).status_code == 200
    tag = alice.get(path).headers["ETag"]
    assert alice.get(path, If_None_Match=tag).status_code == 304


def test_a_room_is_started_and_ended_and_its_runs_are_listed(cast: Cast, program: NewProgram) -> None:
    alice, room = program("alice"), f"/rooms/{cast.board}"
    assert alice.post(f"{room}/start").json["data"]["state"] == "starting"
    cast.join(Role.GUEST, name="Gus")
    assert alice.post(f"{room}/end").json["data"]["state"] == "idle"
    runs = alice.get(f"{room}/sessions").json["data"]
    assert len(runs) == 1
    assert runs[0]["most"] == 1
    run = alice.get(f"{room}/sessions/{runs[0]['id']}?include=participations").json["data"]
    stays = run["participations"]["data"]
    assert [(stay["name"], stay["role"], stay["ending"]) for stay in stays] == [("Gus", "guest", "ended")]
    assert program("bob").post(f"{room}/start").status_code == 403
    assert program("bob").get(f"{room}/sessions").status_code == 403


def test_accounts_subscriptions_and_features_can_be_read(program: NewProgram) -> None:
    alice = program("alice")
    accounts = alice.get("/accounts?include=customer,subscription").json["data"]
    assert [account["account_name"] for account in accounts] == ["Main"]
    assert accounts[0]["customer"]["data"]["company_name"] == "Acme"
    assert accounts[0]["subscription"]["data"]["feature_values"]["max_participants"] == 25
    subscription = alice.get(f"/subscriptions/{accounts[0]['subscription_id']}").json["data"]
    assert subscription["is_active"] is True
    assert len(alice.get("/subscriptions").json["data"]) == 1
    charlie = program("charlie")
    assert charlie.get(f"/accounts/{accounts[0]['id']}").status_code == 404
    assert charlie.get(f"/subscriptions/{subscription['id']}").status_code == 404
    assert program("bob").get("/accounts").json["data"] == []
    codes = {feature["code"] for feature in alice.get("/features").json["data"]}
    assert {"max_participants", "recording", "max_viewers"} <= codes


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_users_of_a_room_are_found_without_reading_everybody(cast: Cast, in_app: None) -> None:
    """Ten thousand people who have nothing to do with the room are not looked at."""
    columns = ", ".join(column.name for column in User.__table__.columns if column.name not in {"uuid", "email", "id"})
    session.execute(
        sa.text(
            f"INSERT INTO users (uuid, email, id, {columns}) "
            "SELECT gen_random_uuid(), n || '@many.example', 'many' || n, "
            f"{columns} FROM (SELECT * FROM users LIMIT 1) one, generate_series(1, 10000) n"
        )
    )
    session.execute(sa.text("ANALYZE users"))
    bound = _users_of(cast.room()).compile(db.engine, compile_kwargs={"literal_binds": True})
    plan = "\n".join(session.scalars(sa.text(f"EXPLAIN {bound}")))
    assert "Seq Scan on users" not in plan
