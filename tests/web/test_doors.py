"""Every route wears exactly one door, and each member of the cast finds the right ones open."""

import inspect
import re

import pytest
from flask import Flask

from portal.edge.guard import STAMP
from portal.rooms.models import Role
from tests.cast import Cast

OPEN = {
    "static": "files that everybody may have",
    "home": "leads on",
    "session.sign_in": "nobody is signed in yet",
    "session.start": "nobody is signed in yet",
    "health.livez": "for the operator's probes",
    "health.readyz": "for the operator's probes",
    "document.openapi": "says how to ask, and nothing about anybody",
    "document.docs": "the same for people",
    "oauth.token": "the client's secret is the key; no cookie counts",
    "oauth.revoke": "the client's secret is the key; no cookie counts",
    "oauth.introspect": "the client's secret is the key; no cookie counts",
    "passwords.open_link": "the link in the address is the proof",
    "passwords.show": "the link that the browser has opened is the proof",
    "passwords.save": "the link in the form is the proof",
    "help.conversations": "says what anybody may know",
    "oauth.describe": "says what everybody may know (RFC 8414)",
}


def test_every_route_wears_a_door_and_only_these_are_open(app: Flask) -> None:
    unstamped = [rule.endpoint for rule in app.url_map.iter_rules() if not _stamp(app, rule.endpoint)]
    assert unstamped == []
    opened = {rule.endpoint for rule in app.url_map.iter_rules() if _stamp(app, rule.endpoint) == "open_to_all"}
    assert opened == set(OPEN)


def test_what_moderators_can_do_is_said_to_whoever_asks_and_linked_where_they_are(cast: Cast) -> None:
    address = "/help/conversations"
    assert "What nobody can prevent here" in cast.browser().get(address).text
    host = cast.join(Role.MODERATOR, name="Mo")
    for page in (
        cast.sign_in("alice").get(f"/manage/rooms/{cast.board}"),
        host.get(f"/rooms/{cast.board}/-/conference"),
    ):
        assert f'href="{address}"' in page.text


def test_a_door_takes_the_id_away_from_the_view(app: Flask) -> None:
    """Forgetting a door fails closed: the view is called with `room_id` or `provider_id`, which it does not take.

    On the admin's pages that holds of the first id of each address.
    """
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        inner = inspect.unwrap(view)
        taken = inner.__code__.co_varnames[: inner.__code__.co_argcount]
        guarded = {"room_id", "provider_id"}
        if rule.rule.startswith("/api/v1/subscriptions/"):
            guarded.remove("provider_id")  # a part of the subscription, which the door has found
        if rule.rule.startswith("/admin/"):
            guarded |= set(re.findall(r"<id:(\w+)>", rule.rule)[:1])
        assert not guarded.intersection(taken), rule.endpoint


def test_nothing_that_changes_something_answers_get(app: Flask) -> None:
    verbs = re.compile(r"(revoke|remove|delete|pause|resume|reinstate|restore|sign_out|leave)$")
    confirmed = {
        "rooms.delete",
        "recordings.delete",
        "links.revoke",
        "links.pause",
        "credentials.revoke",
        "applications.revoke",
        "webhooks.delete",
        "admin_webhooks.delete",
        "own_accounts.delete",
        "admin_account.delete",
        "admin_customer.delete",
        "admin_packages.delete",
        "admin_roles.delete",
        "admin_services.delete",
        "admin_staff_members.delete",
        "admin_subscription_deletion.delete",
    }  # GET asks, POST does
    for rule in app.url_map.iter_rules():
        if verbs.search(rule.endpoint) and rule.endpoint not in confirmed:
            assert "GET" not in (rule.methods or set()), rule.endpoint


PAGES = [
    "",
    "/share",
    "/links",
    "/links/new",
    "/codes",
    "/codes/new",
    "/people",
    "/people/new",
    "/webhooks",
    "/webhooks/new",
    "/settings",
    "/deletion",
    "/status",
    "/status/badge",
    "/sessions",
    "/recordings",
    "/ending",
]
BOB_MAY = {"", "/status", "/status/badge", "/recordings"}
ADMIN_MAY = set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_alice_opens_every_page_of_her_room(cast: Cast, page: str) -> None:
    assert cast.sign_in("alice").get(f"/manage/rooms/{cast.board}{page}").status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_staff_opens_every_page_of_every_room(cast: Cast, page: str) -> None:
    assert cast.sign_in("admin").get(f"/manage/rooms/{cast.board}{page}").status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_bob_sees_the_room_and_its_status_and_nothing_more(cast: Cast, page: str) -> None:
    answer = cast.sign_in("bob").get(f"/manage/rooms/{cast.board}{page}")
    assert answer.status_code == (200 if page in BOB_MAY else 403)


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_cannot_find_the_room(cast: Cast, page: str) -> None:
    charlie = cast.sign_in("charlie")
    answer = charlie.get(f"/manage/rooms/{cast.board}{page}")
    missing = charlie.get(f"/manage/rooms/1111111111{page}")
    assert answer.status_code == missing.status_code == 404
    assert answer.text == missing.text


@pytest.mark.parametrize("page", PAGES)
def test_nobody_is_asked_to_sign_in(cast: Cast, page: str) -> None:
    answer = cast.browser().get(f"/manage/rooms/{cast.board}{page}")
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in?next=")


WRITES = [
    ("/links/{guest}/revocation", {"people": "stay"}),
    ("/links/{guest}/pause", {}),
    ("/links/{guest}/resumption", {}),
    ("/links/{guest}/reinstatement", {}),
    ("/links/{guest}/edit", {"role": "moderator"}),
    ("/links/{guest}/rotation", {"grace": "0"}),
    ("/links/new", {"role": "moderator"}),
    ("/codes/new", {"role": "guest", "code": "abcd"}),
    ("/people/new", {"email": "charlie@demo.example"}),
    ("/settings", {"room_name": "Mine now"}),
    ("/ending", {}),
    ("/deletion", {}),
    ("/restoration", {}),
]


@pytest.mark.parametrize(("path", "fields"), WRITES, ids=[path for path, _ in WRITES])
@pytest.mark.parametrize(("who", "status"), [("bob", {403, 404}), ("charlie", {404}), (None, {303, 400, 401})])
def test_what_the_page_does_not_offer_cannot_be_sent_either(
    cast: Cast, path: str, fields: dict[str, str], who: str | None, status: set[int]
) -> None:
    client = cast.sign_in(who) if who else cast.browser()
    path = f"/manage/rooms/{cast.board}{path}".format(guest=cast.link_ids[Role.GUEST])
    answer = client.post(path, data={"csrf_token": client.token("/me"), **fields})
    assert answer.status_code in status


def test_ids_below_a_room_belong_to_that_room(cast: Cast) -> None:
    """Alice owns both rooms; a link of one is not found below the other."""
    alice, link = cast.sign_in("alice"), cast.link_ids[Role.GUEST]
    assert alice.get(f"/manage/rooms/{cast.board}/links/{link}/test").status_code == 200
    assert alice.get(f"/manage/rooms/{cast.open_house}/links/{link}/test").status_code == 404
    assert alice.get(f"/manage/rooms/{cast.board}/links/{link}/rotation").status_code == 200
    assert alice.get(f"/manage/rooms/{cast.open_house}/links/{link}/rotation").status_code == 404
    token = alice.token("/me")
    answer = alice.post(f"/manage/rooms/{cast.open_house}/links/{link}/pause", data={"csrf_token": token})
    assert answer.status_code == 404


def test_charlie_joins_the_public_room_like_anybody(cast: Cast) -> None:
    charlie = cast.sign_in("charlie")
    assert charlie.get(f"/manage/rooms/{cast.open_house}").status_code == 404
    assert charlie.send(cast.open_path, name="Charlie").status_code == 303


def test_controls_are_shown_to_whom_their_doors_open(cast: Cast) -> None:
    room = f"/manage/rooms/{cast.board}"
    for who, shown in (("alice", True), ("bob", False)):
        html = cast.sign_in(who).get(room).text
        for page in ("/links", "/codes", "/people", "/sessions", "/settings"):
            assert (f'href="{room}{page}"' in html) is shown, (who, page)


def test_a_post_without_proof_of_origin_changes_nothing(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    link = f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/pause"
    assert alice.post(link).status_code == 400
    new = alice.post(f"/manage/rooms/{cast.board}/links/new", data={"role": "guest"})
    assert new.status_code == 422
    assert "send it again" in new.text
    ledger = alice.get(f"/manage/rooms/{cast.board}/links").text
    assert "Paused" not in ledger
    assert ledger.count("Copy guest link") == 1


def _stamp(app: Flask, endpoint: str) -> str | None:
    stamp: str | None = getattr(app.view_functions[endpoint], STAMP, None)
    return stamp


def test_only_doors_that_ask_for_a_proof_themselves_are_not_asked_for_the_sessions_before(cast: Cast) -> None:
    exempt = cast.app.extensions["csrf"]._exempt_views
    doors = {
        f"{view.__module__}.{view.__name__}": getattr(view, STAMP, None) for view in cast.app.view_functions.values()
    }
    pages = {name for name in exempt if not name.startswith(("portal.api.", "portal.oauth."))}  # no cookie opens those
    uploads = {
        "portal.web.manage.presentation.upload",
        "portal.web.manage.uploads.send_form",
        "portal.web.manage.uploads.receive",
    }  # whose door reads the form: see test_presentation.py
    assert uploads <= pages
    by_admission = {"at_door", "admitted", "watches", "follows", "airs", "brings_chunk"}
    assert {doors[name] for name in pages - uploads} == by_admission
    guest = cast.join(Role.GUEST)
    base = f"/rooms/{cast.board}/-/conference"
    for path in ("departure", "presence", "signals"):
        assert guest.post(f"{base}/{path}", data={"connection": "x"}).status_code == 400
        assert guest.post(f"{base}/{path}", data={"csrf_token": guest.token()}).status_code == 400
    assert guest.post(cast.board_path, data={"name": "Gus"}).status_code == 422
