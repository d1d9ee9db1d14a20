"""Addresses as they arrive: with the text that stood around them, broken, half decoded, with a slash at the end."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from werkzeug.routing import Rule

from portal.admission.models import RoomToken
from portal.admission.secrets import new_token
from portal.db import db
from portal.rooms.models import Role
from tests.cast import Cast

STREAMS = {"signals.stream", "status.live"}
BEHIND = [
    *(".", ",", ")", ");", "%3E", ";", "%22", "%20", "%0D%0A", "%E2%80%8B", "%E2%80%8E", "%C2%A0", "%C2%BB"),
    *("%E3%80%82", "]", "**", "?utm_source=n", "%E2%80%99s", "/", "&utm_source=n", "%E2%80%9D", "|", "'"),
]
QUERIES = [
    "?utm_source=x&amp;token={token}",
    "?token=3D{token}",
    "?token%3D{token}&source=gmail&ust=1",
    "?token=%3C{token}",
    "?token=%E2%80%9C{token}%E2%80%9D",
    "%3Ftoken={token}",
    "%3Ftoken={token}&x=y",
    "/%3Ftoken={token}",
    "/?token={token}",
    "?token={head}%0D%0A{tail}",
    "?token={head}%3D%0A{tail}",
    "?token={head}%0A%3E%20{tail}",
    "?token={head}%20{tail}",
    "?token={head}+{tail}",
    "?Token={token}",
    "?TOKEN={token}",
    f"?mc_eid={'x' * 1000}&token={{token}}",
    "?ref=/rooms/b/x?token={other}&token={token}",
]


def parts(cast: Cast) -> dict[str, str]:
    token = urlsplit(cast.links[Role.GUEST]).query.removeprefix("token=")
    return {"token": token, "head": token[:20], "tail": token[20:], "other": new_token()}


@pytest.mark.parametrize("dirt", BEHIND)
def test_text_behind_a_link_is_left_behind(cast: Cast, dirt: str) -> None:
    answer = cast.browser().get(cast.links[Role.GUEST] + dirt)
    assert (answer.status_code, answer.location) == (303, cast.board_path)


@pytest.mark.parametrize("query", QUERIES)
def test_a_link_is_read_however_its_query_was_spoilt(cast: Cast, query: str) -> None:
    guest = cast.browser()
    answer = guest.get(cast.board_path + query.format(**parts(cast)))
    assert (answer.status_code, answer.location) == (303, cast.board_path)
    assert "Your name" in guest.get(answer.location).text
    assert cast.browser().get(f"/rooms/{cast.board}{query.format(**parts(cast))}").status_code == 303


@pytest.mark.parametrize("text", ["rt_nonsense", "rt_" + "A" * 38, "", "{head}", "{head}x{tail}"])
def test_what_cannot_be_read_stays_nothing_and_asks_no_database(app: Flask, cast: Cast, text: str) -> None:
    asked: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert cast.browser().get(f"{cast.board_path}?token={text.format(**parts(cast))}").status_code == 404
    finally:
        event.remove(engine, "before_cursor_execute", note)
    column = str(sa.select(RoomToken.token_hash)).split()[1]
    assert not [statement for statement in asked if re.search(rf"WHERE.*{re.escape(column)}", statement, re.S)]


def test_a_query_without_a_token_is_no_token(cast: Cast) -> None:
    guest = cast.follow(Role.GUEST)
    assert guest.get(f"{cast.board_path}?utm_source=start_page&ref=rt_").status_code == 200
    assert cast.browser().get(f"{cast.open_path}?utm_source=start_page").status_code == 200


def url_of(rule: Rule, cast: Cast) -> str:
    """An address of this rule, with things that exist where the cast has them."""
    known = {"room_id": cast.board, "slug": "board-meeting", "token_id": cast.link_ids[Role.GUEST]}
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: known.get(found[1], "1111111111"), rule.rule)
    return path.replace("/1111111111", "/css/tokens.css") if rule.endpoint == "static" else path


@pytest.mark.parametrize("name", ["", "alice"])
def test_every_address_means_the_same_with_a_slash_at_its_end(app: Flask, cast: Cast, name: str) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in {"home", *STREAMS}]
    assert len(rules) > 80
    client = cast.sign_in(name) if name else cast.browser()
    for rule in rules:
        path = url_of(rule, cast)
        for method in sorted({"GET", "POST", "PATCH", "DELETE"} & (rule.methods or set())):
            plain, slashed = (client.open(f"{path}{end}", method=method, query_string="a=b") for end in ("", "/"))
            assert (slashed.status_code, slashed.location) == (plain.status_code, plain.location), (method, path)


def test_a_slash_changes_neither_method_nor_body_nor_query(cast: Cast) -> None:
    browser = cast.browser()
    answer = browser.post("/oauth/token/", data={"grant_type": "client_credentials"})
    assert answer.json == browser.post("/oauth/token", data={"grant_type": "client_credentials"}).json
    assert '"issuer"' in browser.get("/.well-known/oauth-authorization-server/").text
    assert "Join" in browser.get(f"{cast.open_path}/").text
    alice = cast.sign_in("alice")
    assert "No room matches" in alice.get("/manage/rooms/?search=zzzz").text
    assert alice.send("/me/", name="Alice Again", timezone="Europe/Berlin").status_code == 303
    assert "Alice Again" in alice.get("/me").text


@pytest.mark.parametrize(
    "path", ["/nothing/", "//evil.example/", "///evil.example//", "//evil.example/%2F..", "/sign-in/x/"]
)
def test_what_is_unknown_stays_unknown_and_leads_nowhere(cast: Cast, path: str) -> None:
    answer = cast.browser().get(environ_overrides={"PATH_INFO": path})
    assert answer.status_code == 404
    assert answer.location is None


@pytest.mark.parametrize("path", ["//sign-in", "//sign-in/", "/sign-in//", "/%2F/sign-in"])
def test_slashes_too_many_lead_to_this_portal_only(cast: Cast, path: str) -> None:
    answer = cast.browser().get(environ_overrides={"PATH_INFO": path})
    assert urlsplit(answer.location or "").netloc in {"", "localhost"}


def test_what_a_program_writes_for_an_id_is_no_query(app: Flask) -> None:
    """An id that begins with `?` is unknown; it was the list's address, which knows other methods."""
    for path in ("/api/v1/rooms/1111111111/access-codes/%3Fx", "/api/v1/rooms/%3F", "/api/v1/rooms%3Flimit=1"):
        assert app.test_client().patch(path, json={}).status_code == 404, path
