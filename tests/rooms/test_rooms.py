"""Making and changing rooms: what the pages and the API both stand on."""

from typing import Any

import pytest
import sqlalchemy as sa

from portal.accounts.models import Account
from portal.accounts.room_account import MAX_ROOMS, RoomAccount, room_account
from portal.clock import now
from portal.db import db, session
from portal.errors import Conflict, Invalid
from portal.people.actor import actor_of
from portal.permissions.visibility import access_scope_of, visible_uuids
from portal.rooms.models import Room, RoomStatusWord
from portal.rooms.operations import create_room, describe_room
from portal.subscriptions.models import Subscription, SubscriptionFeature, SubscriptionStatus
from portal.subscriptions.provider_models import ServiceType
from tests.cast import Cast, editable
from tests.conftest import BOTH

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def account(cast: Cast) -> RoomAccount:
    return room_account(
        session.scalars(sa.select(Account.uuid).where(Account.owner_uuid == cast.user("alice").uuid)).one()
    )


def test_a_room_is_made_with_everything_at_once(cast: Cast, account: RoomAccount) -> None:
    room = create_room(
        account=account,
        room_name="Full",
        by=actor_of(cast.user("alice")),
        room_type=ServiceType.MEET,
        slug="another-word",
        is_public=True,
        status=RoomStatusWord.INACTIVE,
        settings={"description": "Hello", "x_id": 5},
        features={"max_participants": 9, "recording": None},
        metadata={"crm": {"id": 456}},
    )
    assert (room.slug, room.is_public, room.status) == ("another-word", True, "inactive")
    assert room.room_settings == {"description": "Hello", "x_id": 5}
    assert room.room_features == {"max_participants": 9}
    assert room.room_metadata == {"crm": {"id": 456}}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("most", [None, 100])
def test_who_makes_a_room_does_not_wait_for_those_who_enter_rooms_of_the_plan(
    cast: Cast, account: RoomAccount, most: int | None
) -> None:
    plan = SubscriptionFeature.subscription_uuid == account.subscription_uuid
    session.execute(
        sa.update(SubscriptionFeature).where(plan, SubscriptionFeature.code == MAX_ROOMS).values(number=most)
    )
    session.commit()
    with db.engine.begin() as entering:
        entering.execute(sa.select(Subscription.uuid).with_for_update(key_share=True))
        session.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
        create_room(account=room_account(account.uuid), room_name="Now", by=actor_of(cast.user("alice")))
        session.commit()


def test_an_account_whose_plan_lacks_rooms_gets_none(cast: Cast, account: RoomAccount) -> None:
    session.execute(sa.delete(SubscriptionFeature).where(SubscriptionFeature.code == MAX_ROOMS))
    with pytest.raises(Conflict):
        create_room(account=room_account(account.uuid), room_name="None", by=actor_of(cast.user("alice")))


def test_a_plan_that_ends_after_its_account_was_read_makes_no_room(cast: Cast, account: RoomAccount) -> None:
    assert account.limited
    session.execute(sa.update(Subscription).values(status=SubscriptionStatus.SUSPENDED))
    with pytest.raises(Conflict, match="has ended"):
        create_room(account=account, room_name="Late", by=actor_of(cast.user("alice")))


def test_the_type_follows_from_the_subscription(cast: Cast, account: RoomAccount) -> None:
    with pytest.raises(Invalid) as refused:
        create_room(account=account, room_name="Film", by=actor_of(cast.user("alice")), room_type=ServiceType.VIDEO)
    assert "of type meet" in refused.value.fields["room_type"]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"slug": "No Slug"}, "slug"),
        ({"settings": {"nonsense": 1}}, "room_settings.nonsense"),
        ({"features": {"nonsense": 1}}, "room_features.nonsense"),
        ({"metadata": {"a": [[]]}}, "room_metadata"),
        ({"metadata": []}, "room_metadata"),
    ],
)
def test_what_makes_no_sense_is_refused_when_making_and_when_changing(
    cast: Cast, account: RoomAccount, wish: dict[str, object], field: str
) -> None:
    alice = actor_of(cast.user("alice"))
    with pytest.raises(Invalid) as made:
        create_room(account=account, room_name="X", by=alice, **wish)  # type: ignore[arg-type]
    with pytest.raises(Invalid) as changed:
        describe_room(editable(cast.room(), alice), by=alice, **wish)  # type: ignore[arg-type]
    assert set(made.value.fields) == set(changed.value.fields) == {field}


def test_what_a_room_has_not_cannot_be_changed(cast: Cast) -> None:
    alice = actor_of(cast.user("alice"))
    with pytest.raises(TypeError, match="room_nmae"):
        describe_room(editable(cast.room(), alice), by=alice, room_nmae="X")  # type: ignore[call-arg]


def test_metadata_is_replaced_as_a_whole_and_the_rest_is_merged(cast: Cast) -> None:
    alice = actor_of(cast.user("alice"))
    room = describe_room(
        editable(cast.room(), alice),
        by=alice,
        metadata={"a": 1, "b": [1, 2]},
        settings={"description": "D"},
        features={"recording": False},
    )
    room = describe_room(room, by=alice, metadata={"c": None}, settings={"x_1": 1}, features={"max_duration": 5})
    assert room.room_metadata == {"c": None}
    assert room.room_settings == {"description": "D", "x_1": 1}
    assert room.room_features == {"recording": False, "max_duration": 5}
    room = describe_room(room, by=alice, metadata={})
    assert room.room_metadata == {}
    describe_room(room, by=alice, room_name="Other")
    room = editable(cast.room(), alice)
    assert room.room_name == "Other"
    assert room.room_settings["description"] == "D"


@BOTH
@pytest.mark.parametrize("column", [Room.sort_name, Room.created_at, Room.updated_at])
@pytest.mark.parametrize("descending", [False, True])
def test_a_list_of_all_rooms_is_read_by_an_index(
    cast: Cast, column: sa.orm.InstrumentedAttribute[Any], descending: bool
) -> None:
    order = (column.desc(), Room.uuid.desc()) if descending else (column, Room.uuid)
    everything = access_scope_of(actor_of(cast.user("admin")))
    page = visible_uuids(everything, now(), lambda arm: arm.order_by(*order).limit(10))
    bound, index = page.compile(db.engine, compile_kwargs={"literal_binds": True}), f"ix_rooms_{column.key}_uuid"
    if db.engine.dialect.name == "postgresql":
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))  # two rooms would rather be read and sorted
        session.execute(sa.text("SET LOCAL enable_sort = off"))
        plan = "\n".join(session.scalars(sa.text(f"EXPLAIN {bound}")))
        assert "Sort" not in plan
    else:
        plan = "\n".join(row[3] for row in session.execute(sa.text(f"EXPLAIN QUERY PLAN {bound}")))
        assert "TEMP B-TREE" not in plan
    assert index in plan
