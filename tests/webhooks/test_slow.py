"""Slow receivers, and those of which nothing is known yet, take half of the workers at most, whoever they belong to."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask

from portal.customers.operations import create_customer
from portal.db import transaction
from portal.people.actor import actor_of
from portal.people.operations import create_user
from portal.webhooks.deliveries import claim
from portal.webhooks.events import Event
from portal.webhooks.operations import change_endpoint, create_endpoint
from portal.webhooks.operations import test_endpoint as send_test
from portal.webhooks.scheduling import SLOW_SLOTS_OF_ALL
from tests.cast import Cast
from tests.conftest import BOTH
from tests.receiver import Receiver
from tests.webhooks.conftest import SLOWLY, Listen, Take, Told, answer, called, endpoint_of, happen, swept, waiting

Elsewhere = Callable[..., list[str]]


@pytest.fixture
def elsewhere(app: Flask, hook: Receiver, told: Told) -> Elsewhere:
    """Makes a customer with so many new endpoints, for each of which a test waits."""

    def made(name: str, endpoints: int = 1) -> list[str]:
        with app.app_context(), transaction():
            user = create_user(email=f"{name}@example.org", name=name)
            owner, customer = actor_of(user), create_customer(company_name=name, owner=user)
            ids = []
            for _ in range(endpoints):
                one = create_endpoint(customer=customer, url=hook.url, events=[Event.ROOM_CREATED], by=owner)
                send_test(one, by=owner)
                ids.append(one.id)
        return ids

    return made


@BOTH
def test_slow_receivers_of_many_customers_leave_workers_for_quick_ones(
    app: Flask, cast: Cast, listen: Listen, take: Take, elsewhere: Elsewhere
) -> None:
    slow = [elsewhere(f"c{number}")[0] for number in range(SLOW_SLOTS_OF_ALL + 2)]
    quick = listen(Event.TOKEN_CREATED)
    happen(app, cast)
    assert sorted(swept(app)) == sorted([quick, *slow[:SLOW_SLOTS_OF_ALL]])
    taken = [take(waiting(app, endpoint_id)[0]) for endpoint_id in slow]
    assert [letter is not None for letter in taken] == [True] * SLOW_SLOTS_OF_ALL + [False] * 2
    assert swept(app) == [quick]
    assert take(waiting(app, quick)[0]) is not None


@BOTH
def test_of_many_workers_that_reach_for_slow_receivers_at_once_only_so_many_find_a_place(
    app: Flask, take: Take, elsewhere: Elsewhere
) -> None:
    uuids = [waiting(app, elsewhere(f"c{number}")[0])[0] for number in range(SLOW_SLOTS_OF_ALL + 3)]
    start, taken = threading.Barrier(len(uuids)), []

    def reach(uuid: UUID) -> None:
        with app.app_context():
            start.wait(10)
            with transaction():
                if claim(uuid) is not None:
                    taken.append(uuid)

    threads = [threading.Thread(target=reach, args=[uuid]) for uuid in uuids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == SLOW_SLOTS_OF_ALL


@BOTH
def test_a_new_receiver_counts_as_slow_until_it_has_answered_quickly(
    app: Flask, cast: Cast, listen: Listen, take: Take
) -> None:
    new = [listen(Event.TOKEN_CREATED, known=False) for _ in range(2)]
    for _ in range(2):
        happen(app, cast)
    first = take(waiting(app, new[0])[0])
    assert take(waiting(app, new[1])[0]) is None
    answer(app, first, milliseconds=1)
    answer(app, take(waiting(app, new[1])[0]), milliseconds=1)
    assert None not in [take(waiting(app, endpoint_id)[1]) for endpoint_id in new]


@BOTH
def test_a_receiver_at_a_new_address_counts_as_new(app: Flask, cast: Cast, listen: Listen, take: Take) -> None:
    moved, slow = listen(Event.TOKEN_CREATED), listen(Event.TOKEN_CREATED, known=False)
    happen(app, cast)
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(moved), by=actor_of(cast.user("alice")), url="https://hooks.example/moved")
    assert take(waiting(app, slow)[0]) is not None
    assert take(waiting(app, moved)[0]) is None


@BOTH
def test_a_new_endpoint_comes_after_those_that_wait_already(app: Flask, cast: Cast, listen: Listen, take: Take) -> None:
    """Whoever makes one after the other is never before somebody whose turn it is."""
    known = listen(Event.TOKEN_CREATED)
    for _ in range(2):
        happen(app, cast)
    answer(app, take(waiting(app, known)[0]), milliseconds=SLOWLY)
    new = listen(Event.TOKEN_CREATED, known=False)
    happen(app, cast)
    assert swept(app) == [known]
    answer(app, take(waiting(app, known)[1]), milliseconds=SLOWLY)
    assert swept(app) == [new]


@BOTH
def test_a_place_for_slow_receivers_goes_from_customer_to_customer_however_many_endpoints_one_has(
    app: Flask, take: Take, told: Told, elsewhere: Elsewhere
) -> None:
    many = elsewhere("many", endpoints=3)
    letters = [take(waiting(app, many[0])[0])]
    letters += [take(waiting(app, elsewhere(f"c{number}")[0])[0]) for number in range(SLOW_SLOTS_OF_ALL - 1)]
    assert None not in letters
    [late] = elsewhere("late")
    assert swept(app) == []
    told.clear()
    answer(app, letters[0], milliseconds=SLOWLY)
    assert called(app, told) == [late]
    assert take(waiting(app, late)[0]) is not None
    told.clear()
    answer(app, letters[1], milliseconds=1)
    assert called(app, told) == [many[1]]


@BOTH
def test_a_place_of_a_quick_receiver_is_no_place_for_anothers_slow_one(
    app: Flask, cast: Cast, listen: Listen, take: Take, told: Told, elsewhere: Elsewhere
) -> None:
    quick = listen(Event.TOKEN_CREATED)
    happen(app, cast)
    letter = take(waiting(app, quick)[0])
    elsewhere("other")
    told.clear()
    answer(app, letter)
    assert called(app, told) == []
