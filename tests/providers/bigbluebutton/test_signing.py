"""Checksums: the published vector, and that what is sent is what was signed, whatever the characters."""

import hashlib
from urllib.parse import parse_qs

import pytest

from portal.providers.bigbluebutton.signing import ALGORITHMS, checksum, derived, fits, query_of, signed_query
from tests.providers.bigbluebutton.conftest import bound_to
from tests.providers.bigbluebutton.server import SECRET, BbbServer

QUERY = "name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444"
VECTOR = {
    "sha1": "1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17",
    "sha256": "da9185f7f333cfdfcd6eeac32dca3777510c4c436020d8b887ba5515bd1d189e",
}
ODD = "it's (no) *joke*! ü ß 日本 😀 a+b&c=d %20 ~_-./"


@pytest.mark.parametrize("algorithm", VECTOR)
def test_the_published_vector(algorithm: str) -> None:
    assert checksum("create", QUERY, SECRET, algorithm) == VECTOR[algorithm]


def test_the_published_vector_of_sha512_as_far_as_it_is_published() -> None:
    found = checksum("create", QUERY, SECRET, "sha512")
    assert (found[:8], found[-6:], len(found)) == ("de73ad61", "3988b4", 128)


def test_the_vectors_query_is_written_as_forms_are() -> None:
    parameters = {"name": "Test Meeting", "meetingID": "abc123", "attendeePW": "111222", "moderatorPW": "333444"}
    assert query_of(parameters) == QUERY
    assert signed_query("create", parameters, SECRET, "sha256") == f"{QUERY}&checksum={VECTOR['sha256']}"


def test_a_call_without_parameters_has_its_checksum_alone() -> None:
    expected = hashlib.sha256(f"getMeetings{SECRET}".encode()).hexdigest()
    assert signed_query("getMeetings", {}, SECRET, "sha256") == f"checksum={expected}"


def test_everything_odd_is_encoded_and_comes_back_as_it_was() -> None:
    query = query_of({"name": ODD})
    assert set(query) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~%+=")
    assert parse_qs(query) == {"name": [ODD]}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_server_gets_exactly_the_bytes_that_were_signed(server: BbbServer, algorithm: str) -> None:
    server.lengths = {2 * hashlib.new(algorithm).digest_size}
    service = bound_to(server, checksum=algorithm)
    service._client.call("isMeetingRunning", {"meetingID": ODD})
    [sent] = server.queries
    assert sent.startswith(query_of({"meetingID": ODD}) + "&checksum=")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_checksum_is_known_by_its_length(algorithm: str) -> None:
    given = hashlib.new(algorithm, b"some text" + SECRET.encode()).hexdigest()
    assert fits(given, b"some text", SECRET)
    assert fits(given.upper(), b"some text", SECRET)
    assert not fits(given, b"another text", SECRET)
    assert not fits(given, b"some text", "another")
    assert not fits(given[:-1], b"some text", SECRET)


def test_what_is_derived_is_always_the_same_and_another_for_each_room_and_role() -> None:
    assert derived("s", "moderator", "1") == derived("s", "moderator", "1")
    made = {derived(*parts) for parts in (("s", "a", "1"), ("s", "a", "2"), ("s", "b", "1"), ("t", "a", "1"))}
    assert len(made) == 4
    assert all(2 <= len(one) <= 64 and one.isalnum() for one in made)
