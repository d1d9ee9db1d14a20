"""Webhooks on the room's page: made, looked at, changed and ended without a script."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.admission.issuing import issue_token
from portal.clock import now
from portal.customers.models import Customer
from portal.db import db, session, transaction
from portal.jobs.webhook_delivery import deliver
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.providers.fetch import NoAnswer, Trouble
from portal.rooms.models import Role
from portal.webhooks.deliveries import LEASE, claim
from portal.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from tests.cast import Cast, Client
from tests.statements import statements

HOOK = "https://hooks.example/room"


def make(cast: Cast, client: Client, **fields: Any) -> str:
    """The address of the page of a new webhook."""
    new = f"/manage/rooms/{cast.board}/webhooks/new"
    answer = client.send(new, **{"url": HOOK, "events": ["token.created"], **fields})
    assert answer.status_code == 303, answer.text
    return answer.location


def let_bob_edit(app: Flask, cast: Cast, *more: Permission) -> None:
    with app.app_context(), transaction():
        bob = cast.user("bob")
        member = session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == bob.uuid)).unique().one()
        member.permissions = [Permission.ROOM_VIEW, Permission.ROOM_EDIT, *more]


def test_alice_makes_a_webhook_and_sees_its_secret_whenever_she_looks(app: Flask, cast: Cast) -> None:
    alice = cast.sign_in("alice")
    assert "No webhooks" in alice.get(f"/manage/rooms/{cast.board}/webhooks").text
    page = make(cast, alice, description="Attendance list")
    with app.app_context():
        secret = session.scalars(sa.select(WebhookEndpoint)).one().secret
    for _ in range(2):
        shown = alice.get(page).text
        assert secret in shown
        assert "Listens" in shown
    listed = alice.get(f"/manage/rooms/{cast.board}/webhooks").text
    assert "Attendance list" in listed
    assert secret not in listed
    assert "Attendance list" not in alice.get(f"/manage/rooms/{cast.open_house}/webhooks").text


def test_one_for_all_rooms_is_seen_from_each_of_them(app: Flask, cast: Cast) -> None:
    alice = cast.sign_in("alice")
    make(cast, alice, description="All of them", everywhere="y")
    assert "All of them" in alice.get(f"/manage/rooms/{cast.open_house}/webhooks").text
    let_bob_edit(app, cast)
    assert "All of them" not in cast.sign_in("bob").get(f"/manage/rooms/{cast.board}/webhooks").text


def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    new = f"/manage/rooms/{cast.board}/webhooks/new"
    answer = alice.send(new, url="http://hooks.example/", events=["token.created"], description="Kept")
    assert answer.status_code == 422
    assert "must begin with https" in answer.text
    assert 'value="Kept"' in answer.text
    assert "Choose at least one event" in alice.send(new, url=HOOK).text
    assert alice.send(new, url=HOOK, events=["made.up"]).status_code == 422


def test_beneath_the_address_stands_what_is_accepted_and_this_very_machine_is_refused_at_once(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    new = f"/manage/rooms/{cast.board}/webhooks/new"
    hint = re.search(r'id="hint-url">([^<]+)<', alice.get(new).text)
    assert hint
    assert "An address out on the internet that begins with https://." in unescape(hint[1])
    assert "within 10 seconds" in hint[1]
    for url in ("https://localhost/hook", "https://hook.localhost:8443/"):
        answer = alice.send(new, url=url, events=["token.created"])
        assert answer.status_code == 422
        beside = re.search(r'id="error-url">.*?</p>', answer.text, re.DOTALL)
        assert beside
        assert "leads into a private network" in words_of(beside[0])


def test_the_page_says_how_a_receiver_checks_a_signature_and_how_it_answers(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    shown = words_of(alice.get(make(cast, alice)).text)
    for word in ("Standard Webhooks", "webhook-id", "webhook-timestamp", "webhook-signature", "HMAC-SHA256", "whsec_"):
        assert word in shown
    assert "within 10 seconds" in shown
    assert "up to 10 times within 24 hours" in shown


def test_it_is_not_deleted_while_a_message_is_on_its_way_and_the_page_says_what_to_do(app: Flask, cast: Cast) -> None:
    alice = cast.sign_in("alice")
    page = make(cast, alice)
    token = {"csrf_token": alice.token(page)}
    with app.app_context():
        with transaction():
            issue_token(room=cast.room(), role=Role.GUEST, by=actor_of(cast.user("alice")))
        with transaction():
            assert claim(session.scalars(sa.select(WebhookDelivery)).one().uuid) is not None
    refused = alice.post(f"{page}/deletion", data=token)
    assert (refused.status_code, refused.location) == (303, page)
    shown = words_of(alice.get(page).text)
    assert "A message is being sent to this webhook right now. Pause it, and delete it in a moment." in shown
    assert "The webhook was deleted" not in shown


def test_messages_are_shown_with_their_answer_and_can_be_sent_again(app: Flask, cast: Cast) -> None:
    alice = cast.sign_in("alice")
    page = make(cast, alice)
    with app.app_context(), transaction():
        issue_token(room=cast.room(), role=Role.GUEST, by=actor_of(cast.user("alice")))
    assert "Waiting" in alice.get(page).text
    assert "every 2s" in alice.get(page).text
    with app.app_context():
        delivery = session.scalars(sa.select(WebhookDelivery)).one()
        uuid, address = delivery.uuid, f"{page}/deliveries/{delivery.id}/repetition"
        with transaction():
            assert claim(uuid) is not None
        session.remove()
        on_its_way = alice.get(f"{page}/deliveries").text
        assert "Is being sent" in on_its_way
        assert "every 2s" in on_its_way  # or the page that asks now would never show the answer
        session.get_one(WebhookDelivery, uuid).next_attempt_at = now()
        session.commit()
        session.remove()
        send_to_nowhere(uuid)
    shown = alice.get(page).text
    assert "There is no server of that name." in shown
    assert "Is tried again" in shown
    assert "Nothing has got through since" in shown
    answer = alice.post(address, data={"csrf_token": alice.token(page)}, follow_redirects=True)
    assert "It is sent again" in answer.text
    assert "There is no server of that name." in alice.get(f"{page}/deliveries").text


def send_to_nowhere(uuid: object) -> None:
    from unittest import mock

    with mock.patch("portal.providers.fetch.post", side_effect=NoAnswer(Trouble.UNKNOWN_NAME)):
        deliver(str(uuid))


def test_what_a_dead_worker_took_from_a_webhook_that_was_paused_then_is_not_being_sent_for_ever(
    app: Flask, cast: Cast
) -> None:
    alice = cast.sign_in("alice")
    page = make(cast, alice)
    with app.app_context():
        with transaction():
            issue_token(room=cast.room(), role=Role.GUEST, by=actor_of(cast.user("alice")))
        with transaction():
            assert claim(session.scalars(sa.select(WebhookDelivery)).one().uuid) is not None
    paused = alice.post(f"{page}/pause", data={"csrf_token": alice.token(page)}, follow_redirects=True).text
    assert "Is being sent" in paused
    assert "every 2s" in paused
    with time_machine.travel(now() + LEASE + timedelta(seconds=1), tick=True):
        later = alice.get(f"{page}/deliveries").text
    assert "Is tried again" in later
    assert "Is being sent" not in later
    assert "every 2s" not in later


def test_it_is_edited_rotated_paused_resumed_tested_and_deleted(app: Flask, cast: Cast) -> None:
    alice = cast.sign_in("alice")
    page = make(cast, alice)
    token = {"csrf_token": alice.token(page)}
    secret = re.search(r'id="hook-secret"[^>]*value="([^"]+)"', alice.get(page).text)
    assert secret
    assert alice.send(f"{page}/edit", url=HOOK, events=["room.ended"], description="x").status_code == 303
    assert "room.ended" in alice.get(page).text
    rotated = alice.post(f"{page}/rotation", data=token, follow_redirects=True).text
    assert secret[1] not in rotated
    assert "The one before signs as well" in rotated
    paused = alice.post(f"{page}/pause", data=token, follow_redirects=True).text
    assert "Paused since" in paused
    assert "It was paused by hand." in paused
    assert "Listens" in alice.post(f"{page}/resumption", data=token, follow_redirects=True).text
    assert "webhook.test" in alice.post(f"{page}/test", data=token, follow_redirects=True).text
    assert "cannot be undone" in alice.get(f"{page}/deletion").text
    assert "The webhook was deleted" in alice.post(f"{page}/deletion", data=token, follow_redirects=True).text
    assert alice.get(page).status_code == 404
    with app.app_context():
        assert {customer.webhooks for customer in session.scalars(sa.select(Customer)).unique()} == {0}


def test_doors_of_webhooks(app: Flask, cast: Cast) -> None:
    """Alice and staff open them; Bob, who may only see the room, and Charlie do not; nor does another room."""
    alice = cast.sign_in("alice")
    page = make(cast, alice)
    pages = [page, f"{page}/edit", f"{page}/deletion", f"{page}/deliveries", f"{page.rpartition('/')[0]}/new"]
    writes = [f"{page}/{verb}" for verb in ("edit", "rotation", "pause", "resumption", "test", "deletion")]
    for who, status in (("admin", 200), ("bob", 403), ("charlie", 404)):
        client = cast.sign_in(who)
        assert {client.get(one).status_code for one in pages} == {status}, who
        if status != 200:
            token = {"csrf_token": client.token("/me")}
            assert {client.post(one, data=token).status_code for one in writes} == {status}, who
    assert cast.browser().get(page).status_code == 303
    elsewhere = page.replace(cast.board, cast.open_house)
    assert alice.get(elsewhere).status_code == 404
    assert alice.post(f"{elsewhere}/pause", data={"csrf_token": alice.token("/me")}).status_code == 404
    with app.app_context():
        assert session.scalars(sa.select(WebhookEndpoint)).one().active


def test_an_editor_is_offered_only_what_he_may_see(app: Flask, cast: Cast) -> None:
    let_bob_edit(app, cast)
    bob = cast.sign_in("bob")
    form = bob.get(f"/manage/rooms/{cast.board}/webhooks/new").text
    for event, offered in (("room.updated", True), ("token.created", False), ("member.added", False)):
        box = re.search(rf'<input[^>]*value="{event}"[^>]*>', form)
        assert box
        assert ("disabled" not in box[0]) is offered
    assert "all rooms of this customer" not in form
    refused = bob.send(f"/manage/rooms/{cast.board}/webhooks/new", url=HOOK, events=["member.added"])
    assert refused.status_code == 403
    assert "may not see that yourself" in refused.text
    above = bob.send(f"/manage/rooms/{cast.board}/webhooks/new", url=HOOK, events=["room.updated"], everywhere="y")
    assert above.status_code == 303
    with app.app_context():
        assert session.scalars(sa.select(WebhookEndpoint)).one().room is not None


def not_allowed(cast: Cast) -> None:
    session.execute(sa.delete(RoomMember).where(RoomMember.user_uuid == cast.user("bob").uuid))


def deactivated(cast: Cast) -> None:
    cast.user("bob").deactivated_at = now()


def gone(_cast: Cast) -> None:
    session.execute(sa.update(WebhookEndpoint).values(owner_uuid=None))


def words_of(html: str) -> str:
    """What a reader reads, without the marks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_the_page_and_the_list_say_who_answers_for_a_webhook(app: Flask, cast: Cast) -> None:
    let_bob_edit(app, cast, Permission.TOKENS_VIEW)
    page = make(cast, cast.sign_in("bob"))
    alice = cast.sign_in("alice")
    assert "Owner Bob" in words_of(alice.get(page).text)
    assert re.search(r'<td[^>]*data-label="Owner"><bdi>Bob', alice.get(page.rpartition("/")[0]).text)
    assert "Whoever saves a webhook is its owner" in words_of(alice.get(f"{page}/edit").text)
    alice.send(f"{page}/edit", url=HOOK, events=["token.created"])
    assert "Owner Alice" in words_of(alice.get(page).text)


@pytest.mark.parametrize(
    ("end", "name"),
    [(not_allowed, "Bob"), (deactivated, "Bob"), (gone, "Nobody")],
)
def test_a_webhook_that_has_lost_its_owner_says_so_before_it_is_paused_and_nothing_of_his_account(
    app: Flask, cast: Cast, end: Callable[[Cast], None], name: str
) -> None:
    let_bob_edit(app, cast, Permission.TOKENS_VIEW)
    page = make(cast, cast.sign_in("bob"))
    with app.app_context(), transaction():
        end(cast)
    alice = cast.sign_in("alice")
    shown = words_of(alice.get(page).text)
    assert "Nothing is sent: its owner has lost the right to see one of these events." in shown
    assert "Somebody who has it must save this webhook again." in shown
    assert f"Owner {name}" in shown
    assert re.search(rf'href="{page}/edit">[^<]*(<svg[\s\S]*?</svg>)?\s*Edit and save\s*</a>', alice.get(page).text)
    for html in (alice.get(page).text, alice.get(page.rpartition("/")[0]).text):
        assert "Nothing is sent" in html
        assert "Listens" not in html
    alice.send(f"{page}/edit", url=HOOK, events=["token.created"])
    assert "Listens" in alice.get(page).text


def test_who_may_not_see_all_that_it_tells_can_take_that_out_and_not_save_it_with_it(app: Flask, cast: Cast) -> None:
    page = make(cast, cast.sign_in("alice"))
    let_bob_edit(app, cast, Permission.TOKENS_VIEW)
    alice, bob = cast.sign_in("alice"), cast.sign_in("bob")
    alice.send(f"{page}/edit", url=HOOK, events=["token.created", "member.added"])
    boxes = dict(re.findall(r'<input[^>]*name="events" value="([^"]+)"([^>]*)>', bob.get(f"{page}/edit").text))
    assert "checked" in boxes["member.added"]
    assert "disabled" not in boxes["member.added"]
    assert "disabled" in boxes["member.removed"]
    refused = bob.send(f"{page}/edit", url="https://bob.example/", events=["token.created", "member.added"])
    assert refused.status_code == 403
    assert "You cannot save “member.added”, because you may not see that yourself." in words_of(refused.text)
    assert 'value="https://bob.example/"' in refused.text
    bob.send(f"{page}/edit", url=HOOK, events=["token.created"])
    assert "Owner Bob" in words_of(bob.get(page).text)


def test_beside_resume_stands_what_it_does(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    page = make(cast, alice)
    token = {"csrf_token": alice.token(page)}
    paused = words_of(alice.post(f"{page}/pause", data=token, follow_redirects=True).text)
    assert f"If you resume it, {HOOK} is told again. What still waits is sent then." in paused


def test_a_message_given_up_unsent_says_why_and_is_sent_again_only_where_it_could_be(app: Flask, cast: Cast) -> None:
    """Bob, who may not see links, saves a webhook that told of them; then Alice saves it."""
    let_bob_edit(app, cast, Permission.TOKENS_VIEW)
    page = make(cast, cast.sign_in("bob"))
    alice = cast.sign_in("alice")
    with app.app_context():
        with transaction():
            issue_token(room=cast.room(), role=Role.GUEST, by=actor_of(cast.user("alice")))
        uuid = session.scalars(sa.select(WebhookDelivery)).one().uuid
    let_bob_edit(app, cast)
    cast.sign_in("bob").send(f"{page}/edit", url=HOOK, events=["room.updated"])
    with app.app_context():
        deliver(str(uuid))
    shown = words_of(alice.get(page).text)
    assert "Not sent" in shown
    assert "It is not sent: the owner of the webhook may not see what this message tells." in shown
    assert "Send again" not in shown
    alice.send(f"{page}/edit", url=HOOK, events=["member.added"])
    assert "Send again" in words_of(alice.get(page).text)
    token = {"csrf_token": alice.token(page)}
    assert "Send again" not in words_of(alice.post(f"{page}/pause", data=token, follow_redirects=True).text)


def test_a_message_given_up_after_a_try_shows_the_answer_as_well(app: Flask, cast: Cast) -> None:
    alice = cast.sign_in("alice")
    page = make(cast, alice)
    with app.app_context(), transaction():
        issue_token(room=cast.room(), role=Role.GUEST, by=actor_of(cast.user("alice")))
        sent = session.scalars(sa.select(WebhookDelivery)).one()
        sent.attempts, sent.next_attempt_at, sent.answered_at, sent.answer_status = 11, None, now(), 503
        sent.answer_milliseconds, sent.ended_at, sent.state = 7, sent.answered_at, DeliveryState.FAILED
    shown = words_of(alice.get(page).text)
    assert "503 after 7 ms" in shown
    assert "It is not sent" not in shown
    with app.app_context(), transaction():
        session.scalars(sa.select(WebhookDelivery)).one().state = DeliveryState.DROPPED
    shown = words_of(alice.get(page).text)
    assert "503 after 7 ms" in shown
    assert "It is not sent" in shown


def test_the_list_asks_as_little_for_many_owners_as_for_one(app: Flask, cast: Cast) -> None:
    let_bob_edit(app, cast, Permission.TOKENS_VIEW)
    alice = cast.sign_in("alice")
    listed = make(cast, alice).rpartition("/")[0]
    with app.app_context():
        engine = db.engine

    def asked() -> int:
        with statements(engine) as seen:
            assert alice.get(listed).status_code == 200
        return len(seen)

    before = asked()
    for name in ("bob", "admin", "bob", "alice"):
        make(cast, cast.sign_in(name))
    assert asked() == before
