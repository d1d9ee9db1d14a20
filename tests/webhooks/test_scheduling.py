"""One slow receiver delays himself: how many messages are on their way at once, and who is called next."""

import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.accounts.models import Account
from portal.clock import now
from portal.db import session, transaction
from portal.jobs.queue import WORKERS
from portal.people.actor import actor_of
from portal.rooms.models import Room
from portal.webhooks import scheduling
from portal.webhooks.deliveries import LEASE, ClaimedDelivery, claim
from portal.webhooks.events import Event
from portal.webhooks.models import EndpointStatus
from portal.webhooks.operations import create_endpoint, pause_endpoint
from portal.webhooks.operations import test_endpoint as send_test
from portal.webhooks.scheduling import SLOTS_PER_CUSTOMER, SLOW_SLOTS_OF_ALL
from tests.cast import Cast, new_room
from tests.conftest import BOTH
from tests.receiver import Receiver
from tests.webhooks.conftest import (
    SLOWLY,
    Listen,
    Take,
    Told,
    answer,
    called,
    endpoint_of,
    happen,
    messages,
    swept,
    waiting,
)


def elsewhere(app: Flask, cast: Cast, hook: Receiver) -> str:
    """Another customer's endpoint, for which a message waits."""
    with app.app_context(), transaction():
        charlie = actor_of(cast.user("charlie"))
        account = session.scalars(sa.select(Account).where(Account.owner_uuid == charlie.uuid)).unique().one()
        other = create_endpoint(customer=account.customer, url=hook.url, events=[Event.ROOM_CREATED], by=charlie)
        other.slow = False
        new_room(account=account, room_name="Theirs", by=charlie)
        return other.id


def test_there_are_more_workers_than_one_customer_or_all_slow_receivers_may_take() -> None:
    assert 1 < SLOTS_PER_CUSTOMER < SLOW_SLOTS_OF_ALL
    assert SLOW_SLOTS_OF_ALL * 2 <= WORKERS


@BOTH
def test_one_endpoint_is_sent_one_message_at_a_time_and_others_go_on(
    app: Flask, cast: Cast, listen: Listen, take: Take
) -> None:
    slow, quick = listen(Event.TOKEN_CREATED), listen(Event.TOKEN_CREATED)
    for _ in range(3):
        happen(app, cast)
    assert take(waiting(app, slow)[0]) is not None
    assert [take(uuid) for uuid in waiting(app, slow)] == [None] * 3
    assert take(waiting(app, quick)[0]) is not None


@BOTH
def test_a_customer_whose_receivers_are_all_slow_leaves_workers_for_another_one(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, take: Take
) -> None:
    slow = [listen(Event.TOKEN_CREATED) for _ in range(SLOTS_PER_CUSTOMER + 1)]
    other = elsewhere(app, cast, hook)
    happen(app, cast)
    taken = [take(waiting(app, endpoint_id)[0]) for endpoint_id in slow]
    assert [letter is not None for letter in taken] == [True] * SLOTS_PER_CUSTOMER + [False]
    assert take(waiting(app, other)[0]) is not None


@BOTH
def test_whoever_ends_a_try_calls_for_the_oldest_message_that_waited(
    app: Flask, cast: Cast, listen: Listen, take: Take, told: Told
) -> None:
    endpoint_id = listen(Event.TOKEN_CREATED)
    for _ in range(3):
        happen(app, cast)
    first, second, third = waiting(app, endpoint_id)
    letter = take(first)
    assert take(third) is None
    told.clear()
    answer(app, letter)
    assert told == [(second, 0)]
    assert take(second) is not None


@BOTH
def test_a_worker_that_died_keeps_its_place_no_longer_than_its_message(
    app: Flask, cast: Cast, listen: Listen, take: Take
) -> None:
    endpoint_id = listen(Event.TOKEN_CREATED)
    happen(app, cast)
    happen(app, cast)
    first, second = waiting(app, endpoint_id)
    assert take(first) is not None
    assert take(second) is None
    with time_machine.travel(datetime.now(UTC) + LEASE + timedelta(seconds=1), tick=True):
        assert take(second) is not None


@BOTH
def test_of_many_workers_only_so_many_find_a_place(app: Flask, cast: Cast, listen: Listen) -> None:
    for _ in range(3):
        listen(Event.TOKEN_CREATED)
    for _ in range(3):
        happen(app, cast)
    with app.app_context():
        owner = {one.uuid: one.endpoint_uuid for one in messages()}
    assert len(owner) == 9
    start, taken = threading.Barrier(9), []

    def reach(uuid: UUID) -> None:
        with app.app_context():
            start.wait(10)
            with transaction():
                if claim(uuid) is not None:
                    taken.append(owner[uuid])

    threads = [threading.Thread(target=reach, args=[uuid]) for uuid in owner]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == SLOTS_PER_CUSTOMER
    assert len(set(taken)) == SLOTS_PER_CUSTOMER


@BOTH
def test_the_sweep_hands_out_of_everybody_what_can_be_sent_at_once(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, take: Take
) -> None:
    mine = [listen(Event.TOKEN_CREATED) for _ in range(10)]
    for _ in range(21):
        happen(app, cast)
    other = elsewhere(app, cast, hook)
    assert swept(app) == [*mine[:SLOTS_PER_CUSTOMER], other]
    assert take(waiting(app, mine[0])[0]) is not None
    assert swept(app) == [mine[1], other]  # one place is taken
    assert take(waiting(app, mine[1])[0]) is not None
    assert swept(app) == [other]


@BOTH
def test_one_message_waits_for_no_more_than_one_try_of_each_other_endpoint(
    app: Flask, cast: Cast, listen: Listen, take: Take, told: Told
) -> None:
    many = [listen(Event.TOKEN_CREATED) for _ in range(3)]
    for _ in range(5):
        happen(app, cast)
    few = listen(Event.TOKEN_CREATED, everywhere=True)
    happen(app, cast)
    letters = [take(waiting(app, endpoint_id)[0]) for endpoint_id in many[:2]]
    told.clear()
    answer(app, letters[0])
    assert called(app, told) == [many[2]]  # neither was ever served, and its message is older
    letters.append(take(waiting(app, many[2])[0]))
    answer(app, letters[1])
    assert called(app, told) == [few]
    answer(app, take(waiting(app, few)[0]))
    assert called(app, told) == [many[0]]


@BOTH
def test_two_slow_receivers_share_one_place_and_a_quick_one_always_finds_another(
    app: Flask, cast: Cast, listen: Listen, take: Take, told: Told
) -> None:
    slow = [listen(Event.TOKEN_CREATED) for _ in range(2)]
    for _ in range(5):
        happen(app, cast)
    for letter in [take(waiting(app, endpoint_id)[0]) for endpoint_id in slow]:
        answer(app, letter, milliseconds=SLOWLY)
    assert swept(app) == slow[:1]
    quick = listen(Event.TOKEN_CREATED, everywhere=True)
    happen(app, cast)
    on_its_way = take(waiting(app, slow[0])[1])
    assert on_its_way is not None
    assert [take(uuid) for uuid in waiting(app, slow[1])] == [None] * 6
    told.clear()
    answer(app, take(waiting(app, quick)[0]))
    assert called(app, told) == []  # the other slow one waits for its like
    answer(app, on_its_way, milliseconds=SLOWLY)
    assert called(app, told) == slow[1:]


@BOTH
@pytest.mark.parametrize("status", [204, 503, None])
def test_a_receiver_is_known_for_slow_whatever_came_of_the_try(
    app: Flask, cast: Cast, listen: Listen, take: Take, status: int | None
) -> None:
    slow = [listen(Event.TOKEN_CREATED) for _ in range(2)]
    for _ in range(6):
        happen(app, cast)
    for letter in [take(waiting(app, endpoint_id)[0]) for endpoint_id in slow]:
        answer(app, letter, milliseconds=SLOWLY, status=status)
    assert take(waiting(app, slow[0])[1]) is not None
    assert take(waiting(app, slow[1])[-1]) is None


@BOTH
def test_a_worker_that_comes_too_late_says_nothing_of_the_receiver(
    app: Flask, cast: Cast, listen: Listen, take: Take
) -> None:
    endpoint_id = listen(Event.TOKEN_CREATED)
    happen(app, cast)
    [uuid] = waiting(app, endpoint_id)
    late = take(uuid)
    with time_machine.travel(datetime.now(UTC) + LEASE + timedelta(seconds=1), tick=True):
        answer(app, take(uuid))
        with app.app_context():
            served_at = endpoint_of(endpoint_id).served_at
        answer(app, late, milliseconds=SLOWLY)
        with app.app_context():
            assert (endpoint_of(endpoint_id).served_at, endpoint_of(endpoint_id).slow) == (served_at, False)


@BOTH
def test_a_receiver_that_has_become_quick_is_slow_no_longer(app: Flask, cast: Cast, listen: Listen, take: Take) -> None:
    endpoints = [listen(Event.TOKEN_CREATED) for _ in range(2)]
    for _ in range(3):
        happen(app, cast)
    for number, milliseconds in enumerate((SLOWLY, 1)):
        for endpoint_id in endpoints:
            answer(app, take(waiting(app, endpoint_id)[number]), milliseconds=milliseconds)
    assert None not in [take(waiting(app, endpoint_id)[2]) for endpoint_id in endpoints]


@BOTH
def test_two_tries_that_end_together_call_for_two_messages(
    app: Flask, cast: Cast, listen: Listen, take: Take, told: Told
) -> None:
    endpoints = [listen(Event.TOKEN_CREATED) for _ in range(4)]
    happen(app, cast)
    letters = [take(waiting(app, endpoint_id)[0]) for endpoint_id in endpoints[:2]]
    told.clear()
    start = threading.Barrier(2)

    def end(letter: ClaimedDelivery | None) -> None:
        start.wait(10)
        answer(app, letter)

    threads = [threading.Thread(target=end, args=[letter]) for letter in letters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert set(called(app, told)) == set(endpoints[2:])


@BOTH
def test_a_message_whose_endpoint_nobody_keeps_any_more_hands_its_place_on(
    app: Flask, cast: Cast, listen: Listen, take: Take, told: Told
) -> None:
    orphaned, other = listen(Event.TOKEN_CREATED), listen(Event.TOKEN_CREATED)
    happen(app, cast)
    with app.app_context(), transaction():
        endpoint_of(orphaned).owner = None
    told.clear()
    assert take(waiting(app, orphaned)[0]) is None
    assert called(app, told) == [other]
    with app.app_context():
        assert endpoint_of(orphaned).status is EndpointStatus.PAUSED


@BOTH
def test_a_message_that_went_with_its_room_on_its_way_hands_its_place_on(
    app: Flask, cast: Cast, listen: Listen, take: Take, told: Told
) -> None:
    gone, other = listen(Event.TOKEN_CREATED), listen(Event.TOKEN_CREATED, everywhere=True)
    happen(app, cast)
    letter = take(waiting(app, gone)[0])
    with app.app_context(), transaction():
        session.execute(sa.delete(Room).where(Room.id == cast.board))
    told.clear()
    answer(app, letter)
    assert called(app, told) == [other]


@BOTH
def test_a_customer_who_was_deleted_meanwhile_is_owed_no_place(
    app: Flask, cast: Cast, hook: Receiver, take: Take, told: Told
) -> None:
    letter = take(waiting(app, elsewhere(app, cast, hook))[0])
    assert letter is not None
    unknown = replace(letter, delivery_uuid=uuid4(), customer_uuid=uuid4())
    told.clear()
    answer(app, unknown)
    assert told == []


@BOTH
def test_of_a_paused_endpoint_only_a_test_is_called_for(
    app: Flask, cast: Cast, listen: Listen, take: Take, told: Told
) -> None:
    paused, other = listen(Event.TOKEN_CREATED), listen(Event.TOKEN_CREATED)
    happen(app, cast)
    with app.app_context(), transaction():
        pause_endpoint(endpoint_of(paused), by=actor_of(cast.user("alice")))
    assert swept(app) == [other]
    with app.app_context(), transaction():
        test_uuid = send_test(endpoint_of(paused), by=actor_of(cast.user("alice"))).uuid
    told.clear()
    answer(app, take(waiting(app, other)[0]))
    assert told == [(test_uuid, 0)]


@BOTH
@pytest.mark.parametrize("slow", [False, True], ids=["quick", "slow"])
def test_places_are_found_by_walking_endpoints_and_no_message_that_does_not_matter(
    app: Flask, cast: Cast, listen: Listen, slow: bool
) -> None:
    listen(Event.TOKEN_CREATED)
    happen(app, cast)
    with app.app_context(), transaction():
        said: list[tuple[str, Any]] = []
        connection, customer_uuid = session.connection(), cast.room().customer_uuid
        sa.event.listen(connection, "before_cursor_execute", lambda _c, _u, text, given, *_: said.append((text, given)))
        assert len(scheduling.next_deliveries(customer_uuid, now(), slow=slow)) == 1
        asked, explain = [one for one in said if "webhook_deliveries" in one[0]], "EXPLAIN QUERY PLAN "
        if connection.dialect.name == "postgresql":
            explain = "EXPLAIN "
            session.execute(sa.text("SET LOCAL enable_seqscan = off"))  # few messages would rather be read one by one
        plans = [
            "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + text, given))
            for text, given in asked
        ]
    used = [set(re.findall(r"ix_webhook_deliveries_\w+", plan)) for plan in plans]
    assert used == [
        {"ix_webhook_deliveries_sending"},
        {"ix_webhook_deliveries_open", "ix_webhook_deliveries_open_tests"},
    ]
    assert not any("Seq Scan on webhook_deliveries" in plan for plan in plans)
    assert asked[1][0].count("LIMIT 1") == 2  # no parameter, of which PostgreSQL would think any number
