"""The connection with a server: two secrets while one is being replaced, and the test before a row is saved."""

import pytest

from portal.errors import Message
from portal.providers.base import ProviderError, WatchedRoom
from portal.providers.bigbluebutton.adapter import BALANCER, SERVER, BigBlueButtonService
from tests.providers.bigbluebutton.conftest import bound_to
from tests.providers.bigbluebutton.server import BbbServer
from tests.providers.bigbluebutton.test_parameters import request
from tests.providers.bigbluebutton.visits import come, visit

ROOM = request().room_key
NEXT = "the-secret-to-come"


# Two secrets while one is being replaced


def test_while_a_secret_is_replaced_the_server_may_know_either(server: BbbServer) -> None:
    service = bound_to(server, secret_next=NEXT)
    run = service.start(request())
    assert server.count("create") == 1
    server.secrets = [NEXT]
    service = bound_to(server, secret_next=NEXT)
    assert service.start(request()) == run
    assert server.count("create") == 3, "the first was refused"
    come(service, run, visit())
    assert service.look([WatchedRoom(ROOM, run)]).runs
    assert server.count("getMeetings") == 1, "the one that it took is used first"


def test_after_a_secret_was_replaced_the_meeting_that_goes_on_is_found(server: BbbServer) -> None:
    run = bound_to(server).start(request())
    server.secrets = [NEXT]
    service = bound_to(server, secret=NEXT)
    assert service.start(request()) == run
    come(service, run, visit())


def test_a_server_that_knows_neither_refuses(server: BbbServer) -> None:
    server.secrets = ["a third"]
    with pytest.raises(ProviderError) as raised:
        bound_to(server, secret_next=NEXT).start(request())
    assert raised.value.field == "secret"
    assert server.count("create") == 2


# To be tested


def test_a_good_connection_tells_the_version(server: BbbServer, service: BigBlueButtonService) -> None:
    assert service.test() == {"version": "3.0.4"}
    assert server.meetings == []


def failed_test(service: BigBlueButtonService) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        service.test()
    assert isinstance(raised.value.args[0], Message)
    return raised.value


def test_a_wrong_secret_is_told_from_a_wrong_address(server: BbbServer) -> None:
    assert failed_test(bound_to(server, secret="wrong")).field == "secret"
    assert failed_test(bound_to(server, host_url=f"{server.url}/elsewhere/api")).field == "host_url"
    assert failed_test(bound_to(server, host_url="http://127.0.0.1:1")).field == "host_url"


def test_an_algorithm_that_the_server_does_not_know_is_refused_like_a_secret(server: BbbServer) -> None:
    server.lengths = {40}
    assert failed_test(bound_to(server)).field == "secret"
    assert bound_to(server, checksum="sha1").test()


@pytest.mark.parametrize("call", ["", "isMeetingRunning"])
@pytest.mark.parametrize("raw", [(500, b"<html>"), (200, b"<html><p>Hi</p></html>"), (301, b"")])
def test_something_else_at_the_address_is_blamed_on_it(
    server: BbbServer, service: BigBlueButtonService, call: str, raw: tuple[int, bytes]
) -> None:
    server.raw[call] = raw
    assert failed_test(service).field == "host_url"


def test_a_server_that_fails_is_no_wrong_secret(server: BbbServer, service: BigBlueButtonService) -> None:
    server.refuses["isMeetingRunning"] = "internalError"
    error = failed_test(service)
    assert (error.field, error.permanent) == ("host_url", False)


def test_both_types_are_one_adapter() -> None:
    assert (SERVER.key, BALANCER.key) == ("bigbluebutton", "scalelite")
    assert SERVER.properties == BALANCER.properties
    properties = {one.name: one.default for one in BALANCER.properties} | {"host_url": "https://lb.example"}
    assert (SERVER.bind(properties).leads_on, BALANCER.bind(properties).leads_on) == (False, True)
