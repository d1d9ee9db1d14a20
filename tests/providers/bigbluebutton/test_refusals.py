"""What servers answer instead: each key that is known, and everything that is no answer of such a server at all."""

import socket

import pytest

from portal.providers import fetch
from portal.providers.base import ProviderError
from portal.providers.bigbluebutton import client
from portal.providers.bigbluebutton.adapter import BigBlueButtonService
from portal.providers.bigbluebutton.client import api_address
from portal.providers.bigbluebutton.refusals import KEYS, ServerRefusal
from tests.providers.bigbluebutton.conftest import bound_to
from tests.providers.bigbluebutton.server import BbbServer

DOCUMENTED = {
    "checksumError", "notFound", "idNotUnique", "missingParamMeetingID", "missingParamFullName", "validationError",
    "sizeError", "invalidMeetingIdentifier", "invalidPassword", "mismatchCreateTimeParam", "meetingForciblyEnded",
    "guestDeny", "maxParticipantsReached", "unsupportedContentType", "unsupportedRequest", "noRecordings",
    "missingParameter", "invalidKind", "invalidLang", "paramError", "internalError", "serverUnavailable",
    "serverTagUnavailable", "notImplemented", "createHookError", "missingParamCallbackURL", "destroyMissingHook",
    "missingParamHookID", "destroyHookError", "listHookError",
}  # fmt: skip
"""The keys of refusals that documents, sources and runs of servers have."""
TEMPORARY = {
    "meetingForciblyEnded", "maxParticipantsReached", "internalError", "serverUnavailable", "serverTagUnavailable",
    "createHookError", "destroyHookError", "listHookError",
}  # fmt: skip


def error_of(service: BigBlueButtonService) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        service._client.call("getMeetings", {}, largest=client.LARGEST_LIST)
    return raised.value


def test_every_key_that_servers_have_is_known() -> None:
    assert set(KEYS) == DOCUMENTED | {"missingParamName"}


@pytest.mark.parametrize("key", sorted(KEYS))
def test_each_key_says_whether_to_ask_again_and_what_is_to_blame(
    server: BbbServer, service: BigBlueButtonService, key: str
) -> None:
    server.refuses["getMeetings"] = key
    error = error_of(service)
    assert isinstance(error, ServerRefusal)
    assert error.key == key
    assert error.permanent is (key not in TEMPORARY)
    assert error.field == ("secret" if key == "checksumError" else None)
    assert "sorry" not in str(error), "its message may hold anything"


@pytest.mark.parametrize("key", ["missingParameterName", "missingParameterMeetingID"])
def test_a_missing_parameter_may_have_its_name_behind_the_key(
    server: BbbServer, service: BigBlueButtonService, key: str
) -> None:
    server.refuses["getMeetings"] = key
    error = error_of(service)
    assert (isinstance(error, ServerRefusal) and error.key, error.permanent) == ("missingParameter", True)


@pytest.mark.parametrize("key", ["", "somethingNew", "<script>", "x" * 500])
def test_an_unknown_key_is_a_failure_that_is_not_repeated(
    server: BbbServer, service: BigBlueButtonService, key: str
) -> None:
    server.refuses["getMeetings"] = key
    error = error_of(service)
    assert not error.permanent
    assert str(error) == "getMeetings was refused: an unknown reason"


FAILED = b"<response><returncode>FAILED</returncode><messageKey>%s</messageKey></response>"


def test_a_balancer_refuses_with_500_and_xml(server: BbbServer, service: BigBlueButtonService) -> None:
    server.raw["getMeetings"] = (500, FAILED % b"serverUnavailable")
    error = error_of(service)
    assert isinstance(error, ServerRefusal)
    assert (error.key, error.permanent) == ("serverUnavailable", False)


@pytest.mark.parametrize(
    "xml",
    [
        b"<response><returncode>FAILED</returncode><messageKey></messageKey><messageKey>x</messageKey></response>",
        b"<response><returncode>FAILED</returncode></response>",
        b"<response/>",
        b"<response><returncode>success</returncode></response>",
        b"<response><returncode>MAYBE</returncode></response>",
    ],
)
def test_what_is_not_said_to_be_done_was_not_done(server: BbbServer, service: BigBlueButtonService, xml: bytes) -> None:
    server.raw["getMeetings"] = (200, xml)
    assert isinstance(error_of(service), ServerRefusal)


def test_success_with_an_error_of_http_is_none(server: BbbServer, service: BigBlueButtonService) -> None:
    server.raw["getMeetings"] = (500, b"<response><returncode>SUCCESS</returncode></response>")
    assert isinstance(error_of(service), ServerRefusal)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<response><returncode>SUCCESS</returncode><x>&b;</x></response>"""
OUTSIDE = b"""<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><response><returncode>SUCCESS</returncode>&f;</response>"""


@pytest.mark.parametrize(
    ("status", "body", "field"),
    [
        (500, b"<html><body><h1>Internal Server Error</h1><br></html>", None),
        (502, b"", None),
        (429, b"slow down", None),
        (200, b"<html><p>Welcome<br></html>", "host_url"),
        (200, b"<html><p>Welcome</p></html>", "host_url"),
        (200, b"", "host_url"),
        (200, b'{"ok": true}', "host_url"),
        (200, b"\xff\xfe\x00", "host_url"),
        (200, b'<?xml version="1.0" encoding="no-such"?><response/>', "host_url"),
        (200, BOMB, "host_url"),
        (200, OUTSIDE, "host_url"),
        (200, b"<!DOCTYPE response><response><returncode>SUCCESS</returncode></response>", "host_url"),
        (404, b"not found", "host_url"),
        (301, b"", "host_url"),
    ],
)
def test_what_is_no_answer_of_such_a_server(
    server: BbbServer, service: BigBlueButtonService, status: int, body: bytes, field: str | None
) -> None:
    server.raw["getMeetings"] = (status, body)
    error = error_of(service)
    assert (error.permanent, error.field) == (False, field)


DONE = b"<response><returncode>SUCCESS</returncode>%s</response>"


@pytest.mark.parametrize(
    "inside",
    [b"<a/>" * 400_001, b"<a>" * 40 + b"</a>" * 40, b"<a>" + b"x" * 9_000_000 + b"</a>"],
    ids=["many elements", "deep", "long"],
)
def test_an_answer_without_measure_is_not_read_to_its_end(
    server: BbbServer, service: BigBlueButtonService, inside: bytes
) -> None:
    server.raw["getMeetings"] = (200, DONE % inside)
    error = error_of(service)
    assert (str(error), error.permanent) == ("getMeetings was answered with too much", False)


def test_a_call_for_one_room_takes_less_than_one_for_all(server: BbbServer, service: BigBlueButtonService) -> None:
    server.raw["getMeetingInfo"] = (200, DONE % (b"<a>" + b"x" * 70_000 + b"</a>"))
    with pytest.raises(ProviderError, match="too much"):
        service._client.call("getMeetingInfo", {})


def test_a_dead_server_and_a_slow_one_are_asked_again_later(
    server: BbbServer, service: BigBlueButtonService, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.dead = True
    assert not error_of(service).permanent
    server.dead, server.hangs = False, True
    monkeypatch.setattr(fetch, "LONGEST_SECONDS", 0.3)
    assert str(error_of(service)) == "The answer took too long."


def test_nobody_listens(server: BbbServer) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        service = bound_to(server, host_url=f"http://127.0.0.1:{closed.getsockname()[1]}")
        error = error_of(service)
    assert (str(error), error.permanent) == ("The server cannot be reached.", False)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://meet.example", "https://meet.example/bigbluebutton/api"),
        ("https://meet.example/", "https://meet.example/bigbluebutton/api"),
        ("https://Meet.Example/bigbluebutton", "https://meet.example/bigbluebutton/api"),
        ("https://meet.example/bigbluebutton/", "https://meet.example/bigbluebutton/api"),
        ("https://meet.example/bigbluebutton/api/", "https://meet.example/bigbluebutton/api"),
        ("https://lb.example:8443/t/acme/bbb/api", "https://lb.example:8443/t/acme/bbb/api"),
        ("https://lb.example/sub", "https://lb.example/sub/bigbluebutton/api"),
    ],
)
def test_what_is_missing_at_the_end_of_an_address_is_added(typed: str, address: str) -> None:
    assert api_address(typed) == address


@pytest.mark.parametrize("typed", ["https://meet.example/?a=b", "https://meet.example/#x"])
def test_an_address_with_a_query_is_none(typed: str) -> None:
    with pytest.raises(ProviderError) as raised:
        api_address(typed)
    assert raised.value.field == "host_url"
