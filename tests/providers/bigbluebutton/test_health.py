"""What staff and programs read of a server: its version, since when it answers, and how busy it is."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.clock import now
from portal.db import session, transaction
from portal.jobs import poller
from portal.jobs.queue import due_jobs
from portal.providers import fetch
from portal.resources.packages import serialize_provider_health
from portal.rooms.models import Role
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.provider_tests import TEST
from portal.subscriptions.queries import get_provider
from portal.subscriptions.service_providers import change_provider
from tests.cast import Client
from tests.conftest import BOTH
from tests.providers.bigbluebutton.conftest import bound_to
from tests.providers.bigbluebutton.kept import Person
from tests.providers.bigbluebutton.server import SECRET, BbbServer
from tests.providers.bigbluebutton.test_parameters import request
from tests.providers.bigbluebutton.world import BbbWorld


def row(world: BbbWorld) -> ServiceProvider:
    found = world.read(lambda: get_provider(world.provider_id))
    assert isinstance(found, ServiceProvider)
    return found


def run_tests(world: BbbWorld) -> int:
    """Do the tests of connections that are due. How many those were."""
    with world.app.app_context():
        due = [row_id for name, row_id in due_jobs() if name == TEST]
        return sum(poller.test(row_id) for row_id in due)


def later(**how_much: float) -> time_machine.travel:
    return time_machine.travel(now() + timedelta(**how_much), tick=True)


def page(world: BbbWorld) -> str:
    ada: Client = world.cast.sign_in("admin")
    return " ".join(ada.get(f"/admin/services/{world.provider_id}").text.split())


# How busy it is


def test_meetings_of_others_count_and_what_is_over_or_part_of_one_does_not(server: BbbServer) -> None:
    service = bound_to(server)
    service.start(request())
    server.only().people = [Person("g-1", "Gus", "VIEWER", guest=True)]
    other, _ = server.create({"name": "Somebody else's", "meetingID": "not-ours"})
    over, _ = server.create({"name": "Over", "meetingID": "over"})
    assert other is not None
    assert over is not None
    other.people = [Person("x", "Xenia", "MODERATOR", guest=False), Person("y", "Yuri", "VIEWER", guest=False)]
    over.ended = True
    server.lists_people = False
    counts = service.look([]).counts
    assert [(one.key, one.value) for one in counts] == [("meetings", 2), ("people", 3)]
    breakout = "<meetingID>b</meetingID><isBreakout>true</isBreakout><participantCount>2</participantCount>"
    listed = f"<meetings><meeting>{breakout}</meeting></meetings>"
    server.raw["getMeetings"] = (200, f"<response><returncode>SUCCESS</returncode>{listed}</response>".encode())
    assert [one.value for one in service.look([]).counts] == [0, 0]


@BOTH
def test_the_poll_counts_and_staff_and_programs_read_it_with_its_age(world: BbbWorld) -> None:
    assert row(world).counted_at is None
    assert "Counted" not in page(world)
    world.land(world.join(Role.GUEST)[1])
    world.land(world.join(Role.MODERATOR, name="Mo")[1])
    world.ask()
    found = row(world)
    assert (found.counts, found.labels) == (
        {"meetings": 1, "people": 2},
        {"meetings": "Meetings", "people": "People"},
    )
    shown = page(world)
    assert "<span>Meetings</span><span>1</span>" in shown
    assert "<span>People</span><span>2</span>" in shown
    assert "May be otherwise now" not in shown
    with later(minutes=5):
        assert "May be otherwise now" in page(world)
    changed_at = found.updated_at
    world.server.end(world.server.only())
    world.ask()
    assert row(world).counts == {"meetings": 0, "people": 0}
    assert row(world).updated_at == changed_at, "it is no change of what staff set"


def test_counts_of_a_server_that_went_down_are_stale_at_once(world: BbbWorld) -> None:
    world.land(world.join(Role.GUEST)[1])
    world.ask()
    assert not row(world).counts_are_stale(now())
    world.server.dead = True
    world.ask()
    down = row(world)
    assert down.counts == {"meetings": 1, "people": 1}
    assert down.counts_are_stale(now())
    assert down.up_since is None


# Testing it


@BOTH
def test_the_portal_tests_a_server_by_itself_every_hour(world: BbbWorld) -> None:
    assert row(world).version is None
    assert run_tests(world) == 1
    first = row(world)
    assert (first.version, first.down_since) == ("3.0.4", None)
    assert first.up_since == first.last_answer_at is not None
    assert run_tests(world) == 0, "it was tested just now"
    shown = page(world)
    assert "<bdi>3.0.4</bdi>" in shown
    assert "Answers" in shown
    with later(minutes=61):
        assert run_tests(world) == 1
        again = row(world)
    assert again.up_since == first.up_since, "it has answered all the time"
    assert again.last_answer_at > first.last_answer_at  # type: ignore[operator]


def test_one_that_does_not_answer_is_down_and_one_that_refuses_is_not(
    world: BbbWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "LONGEST_SECONDS", 0.3)
    run_tests(world)
    world.server.secrets = ["another"]
    with later(hours=2):
        run_tests(world)
        refused = row(world)
    assert refused.down_since is None
    assert refused.last_error == "The server answers at this address, and refuses this secret."
    world.server.hangs = True
    with later(hours=4):
        run_tests(world)
        down = row(world)
        assert "Does not answer" in page(world)
    assert down.down_since is not None
    assert (down.up_since, down.version) == (None, "3.0.4")


def test_what_is_built_in_or_switched_off_is_not_tested_and_what_was_changed_is_at_once(world: BbbWorld) -> None:
    run_tests(world)
    with world.app.app_context(), transaction():
        moved = {"host_url": f"{world.server.url}/moved", "secret": SECRET}
        change_provider(get_provider(world.provider_id), properties=moved)
    assert run_tests(world) == 1
    assert row(world).last_error == "No such server answers at this address."
    with world.app.app_context(), transaction():
        session.execute(sa.update(ServiceProvider).values(tested_at=None))
        get_provider(world.provider_id).active = False
    assert run_tests(world) == 0


def test_programs_read_the_same(world: BbbWorld) -> None:
    world.land(world.join(Role.GUEST)[1])
    world.ask()
    run_tests(world)
    told = serialize_provider_health(row(world))
    assert (told["version"], told["stale"], told["down_since"]) == ("3.0.4", False, None)
    assert told["counts"] == {"meetings": 1, "people": 1}
    assert told["counted_at"] is not None
    assert told["up_since"] is not None
    with later(minutes=5):
        assert serialize_provider_health(row(world))["stale"] is True


def test_a_poll_that_is_refused_is_judged_like_a_test(world: BbbWorld) -> None:
    """The service is up then. Were it down, nobody would be let in, though it opens rooms."""
    world.land(world.join(Role.GUEST)[1])
    world.server.refuses["getMeetings"] = "internalError"
    world.ask()
    refused = row(world)
    assert refused.last_error_at is not None
    assert refused.down_since is None


def test_a_refusal_ends_an_outage_because_it_is_an_answer(world: BbbWorld) -> None:
    world.land(world.join(Role.GUEST)[1])
    world.server.dead = True
    world.ask()
    assert row(world).down_since is not None
    world.server.dead = False
    world.server.refuses["getMeetings"] = "internalError"
    world.ask()
    answered = row(world)
    assert (answered.down_since, answered.up_since) == (None, answered.last_error_at)
