"""GET, HEAD and OPTIONS change nothing: every route is asked by everybody who gets far, and every row stays."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from portal.accounts.models import Account
from portal.admission.join_tickets import issue_join_ticket
from portal.admission.models import AccessCode
from portal.admission.visitor import Visitor
from portal.app import create_app
from portal.clock import now
from portal.credentials.models import ClientKind, OAuthClient
from portal.customers.profile_entries import add_entry
from portal.customers.profile_models import (
    AddressType,
    CustomerAddress,
    CustomerTelephone,
    DocumentType,
    LegalDocument,
    TelephoneType,
)
from portal.db import db, reading, session, transaction, writing
from portal.edge.transaction import SAFE_METHODS
from portal.engine import WriteWhileReading
from portal.media.models import RecordingVisibility
from portal.people.actor import actor_of
from portal.people.models import PlatformRole
from portal.people.operations import create_user
from portal.people.password_links import issue_password_link
from portal.permissions.members import RoomMember
from portal.permissions.memberships import add_membership
from portal.rooms.models import Role, Room
from portal.rooms.presentations import address_of
from portal.status.models import RoomSession
from portal.subscriptions.models import SubscriptionProvider
from portal.subscriptions.package_models import PackageProvider
from portal.videos.caption_files import read_captions
from portal.videos.captions import set_captions
from portal.webhooks.models import WebhookDelivery
from tests.api.conftest import NewProgram, Program, program
from tests.cast import Cast, Client, new_recording, new_room
from tests.conftest import BOTH, settings_for
from tests.oauth import programs
from tests.presentations import a_service_that_takes_them, new_presentation
from tests.room_images import new_image
from tests.video_room import FOLDER, new_ready_video, new_video_room

__all__ = ["program"]

PRESSED = {"decision": "allow", "people": "remove", "url": "https://hooks.example/other", "room_name": "Taken over"}
"""What forms send when a button is pressed. A body may come with any method, and must not count with these."""
NOT_YET = frozenset({"live.show", "sending.show", "live_media.playlist", "live_media.segment"})
"""Routes of rooms that nobody can have yet: see `tests.broadcasts`."""
OF_NOBODY = frozenset({"static", "hooks.call_back"}) | NOT_YET
"""Routes without anything to show here: files, and what services call, which answers HEAD with 405."""

Row = tuple[str, ...]


@dataclass
class World:
    """A portal in which all that an address can name exists, and everybody who can ask."""

    cast: Cast
    programs: list[Program]
    people: list[Client]
    ids: dict[str, str] = field(default_factory=dict)
    more: dict[str, list[str]] = field(default_factory=dict)
    """Further addresses of a route, by its endpoint: with a query, or with an id of another room."""

    def addresses(self, rule: Rule) -> list[str]:
        """Addresses of the rule, with the ids of what exists. A test without an id for a new route fails here."""
        built = rule.build({name: self.ids[name] for name in rule.arguments - set(rule.defaults or ())})
        assert built is not None, rule
        return [built[1], *self.more.get(rule.endpoint, [])]

    def ask(self, method: str, address: str) -> Iterator[Response]:
        """The answers to this request of everybody; of a stream its first piece is taken."""
        if address.startswith("/api/"):
            yield from (program.call(method, address) for program in self.programs)
        exchanges = "token=" in address  # which ends what its browser was before
        for client in [self.cast.browser()] if exchanges else self.people:
            with client.open(address, method=method, data=PRESSED) as answer:
                if answer.is_streamed:
                    next(iter(answer.response), None)
                yield answer


@pytest.fixture
def app(database: str, tmp_path: Path) -> Iterator[Flask]:
    """A portal that answers one program as often as this test asks."""
    app = create_app(settings_for(database, tmp_path, api_rate="10000 per minute"))
    app.test_client_class = Client
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def world(cast: Cast, app: Flask, program: NewProgram) -> World:
    alice, guest, holder = cast.sign_in("alice"), cast.join(Role.GUEST), cast.browser()
    assert alice.send(f"/rooms/{cast.board}/-/entry").status_code == 303
    hook = f"/manage/rooms/{cast.board}/webhooks/new"
    page = alice.send(hook, url="https://hooks.example/room", events=["token.created"]).location
    assert alice.send(f"{page}/test", page).status_code == 303
    own = alice.send("/me/credentials/new", name="Reporter", scopes=["rooms.read"])
    assert own.status_code == 201
    other = programs.program(cast, ClientKind.THIRD_PARTY, user="charlie")
    assert other.exchange(other.code(alice)).status_code == 200
    with app.app_context(), transaction():
        _, opened = issue_join_ticket(
            room=cast.room(cast.open_house), visitor=Visitor(), name="Tim", network="192.0.2.1"
        )
        _, secret = issue_join_ticket(
            room=cast.room(cast.open_house), visitor=Visitor(), name="Tom", network="192.0.2.1"
        )
        add_membership(place=cast.room().customer, email=cast.user("bob").email, permissions=[], by=None)
        add_membership(place=cast.room().account, email=cast.user("bob").email, permissions=[], by=None)
        link = issue_password_link(create_user(email="new@demo.example", name="Neo")).path
        at: dict[str, Any] = {"address_type": AddressType.POSTAL, "city": "Berlin", "po_box": "1"}
        called: dict[str, Any] = {"telephone_type": TelephoneType.MOBILE, "number": "+1 212 555 0100"}
        known: dict[str, Any] = {"type": DocumentType.OTHER, "value": "HRB 1"}
        customer = cast.room().customer
        entries = {
            "addresses": add_entry(customer, CustomerAddress, **at).id,
            "telephones": add_entry(customer, CustomerTelephone, **called).id,
            "legal-documents": add_entry(customer, LegalDocument, **known).id,
        }
        recording = new_recording(room=cast.room(), visibility=RecordingVisibility.PARTICIPANTS).id
        films = new_video_room(is_public=True)
        films.room_settings = {"allow_download": True}
        video = new_ready_video(app, films)
        spoken = read_captions(b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n")
        captions = set_captions(video=video, by=actor_of(films.owner), captions=spoken, language="en").id
        film = video.id
        films_id, films_path = films.id, films.path
        image = new_image(films).id
    tickets = f"/rooms/{cast.open_house}/-/join-tickets"
    assert holder.get(f"{tickets}/{opened}").status_code == 303
    assert holder.get(link).status_code == 303
    ada = cast.sign_in("admin")
    portals = ada.send("/admin/webhooks/new", url="https://hooks.example/", events=["customer.updated"]).location
    viewer = cast.browser()
    viewer.get(films_path)
    assert viewer.send(films_path).status_code == 303
    world = World(cast, [program("alice"), program("admin")], [alice, ada, guest, holder, viewer])
    watched = f"/rooms/{films_id}/-"
    world.more = {
        "api.videos.index": [f"/api/v1/rooms/{films_id}/videos"],
        "api.videos.show_one": [f"/api/v1/rooms/{films_id}/videos/{film}"],
        "api.video_captions.index": [f"/api/v1/rooms/{films_id}/videos/{film}/captions"],
        "room_images.show": [f"{watched}/images/{image}"],
        "room_images.show_to_members": [f"/manage/rooms/{films_id}/images/{image}"],
        "videos.poster": [f"/manage/rooms/{films_id}/videos/{film}/poster/poster.jpg"],
        "videos.sheet": [f"/manage/rooms/{films_id}/videos/{film}/sheets/{FOLDER}/sprite_1.jpg"],
        "watch.show": [f"{watched}/watch"],
        "watch.videos": [f"{watched}/watch/videos"],
        "media.file": [f"{watched}/media/{film}/{FOLDER}/{name}" for name in ("master.m3u8", "240p_00000.m4s")],
        "media.captions": [f"{watched}/media/{film}/captions/{captions}.vtt"],
        "watch.download": [f"{watched}/watch/videos/{film}/file"],
        "media.poster": [f"{watched}/media/{film}/poster/poster.jpg"],
        "admin_webhooks.show": [portals],
        "admin_webhooks.deliveries": [f"{portals}/deliveries"],
        "admin_webhooks.edit": [f"{portals}/edit"],
        "admin_webhooks.delete": [f"{portals}/deletion"],
        "join.show": [cast.links[Role.MODERATOR], cast.links[Role.GUEST], cast.open_path],
        "join_tickets.show": [tickets],
        "join_tickets.open_ticket": [f"{tickets}/{secret}"],
        "consent.authorize": [other.address()],
        "passwords.open_link": [link],
        "links.revoke": [f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/revocation"],
        "links.pause": [f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/pause"],
        "credentials.revoke": [f"/me/credentials/{_own_credential(app, cast)}/revocation"],
    }
    world.more |= presented(app, cast)
    with app.app_context():
        first: Any = lambda column, *where: session.scalars(sa.select(column).where(*where)).first()  # noqa: E731
        room = cast.room()
        own = first(SubscriptionProvider.id, SubscriptionProvider.subscription_uuid == room.subscription_uuid)
        people = f"/manage/accounts/{room.account.id}/people"
        profile = f"/admin/customers/{room.customer.id}"
        world.more |= {
            "api.subscription_parts.provider": [f"/api/v1/subscriptions/{room.subscription.id}/providers/{own}"],
            "place_people.show": [people],
            "place_people.add": [f"{people}/new"],
            "place_people.edit": [f"{people}/{cast.user('bob').id}/edit"],
            "place_people.owner": [f"{people}/owner"],
            "admin_customer_profile.edit": [f"{profile}/{sort}/{one}/edit" for sort, one in entries.items()],
        }
        world.ids = {
            "room_id": room.id,
            "slug": room.slug,
            "noun": "customers",
            "place_id": room.customer.id,
            "customer_id": room.customer.id,
            "address_id": entries["addresses"],
            "telephone_id": entries["telephones"],
            "document_id": entries["legal-documents"],
            "entry_id": entries["addresses"],
            "package_id": room.subscription.package.id,
            "service_id": room.subscription.provider.id,
            "one_id": first(PackageProvider.id, PackageProvider.package_uuid == room.subscription.package_uuid),
            "code": "max_participants",
            "role_id": first(PlatformRole.id),
            "person_id": cast.user("admin").id,
            "admin_id": cast.user("admin").id,
            "account_id": room.account.id,
            "subscription_id": room.subscription.id,
            "provider_id": room.subscription.provider.id,
            "token_id": cast.link_ids[Role.MODERATOR],
            "code_id": first(AccessCode.id),
            "member_id": first(RoomMember.id),
            "user_id": cast.user("bob").id,
            "session_id": first(RoomSession.id, RoomSession.room_uuid == room.uuid),
            "image_id": image,
            "recording_id": recording,
            "video_id": film,
            "captions_id": captions,
            "run_id": first(RoomSession.id, RoomSession.room_uuid == room.uuid),
            "connection_id": "1111111111",
            "folder": FOLDER,
            "presentation_id": "1111111111",
            "number": "0",
            "endpoint_id": page.rpartition("/")[2],
            "webhook_id": page.rpartition("/")[2],
            "delivery_id": first(WebhookDelivery.id),
            "client_id": first(OAuthClient.id, OAuthClient.kind == ClientKind.THIRD_PARTY),
            "secret": "no-such-ticket",
            "name": "css/tokens.css",
        }
    return world


def presented(app: Flask, cast: Cast) -> dict[str, list[str]]:
    """The addresses of a presentation, of a room whose service takes one."""
    with app.app_context(), transaction():
        charlie = cast.user("charlie")
        account = session.scalars(sa.select(Account).where(Account.owner_uuid == charlie.uuid)).one()
        account.subscription.provider = a_service_that_takes_them()
        room = new_room(account=account, room_name="Held elsewhere", by=actor_of(charlie))
        address = address_of(new_presentation(room), at=now()).removeprefix(app.config["BASE_URL"])
        return {"api.presentation.show": [f"/api/v1/rooms/{room.id}/presentation"], "presentations.fetch": [address]}


def _own_credential(app: Flask, cast: Cast) -> str:
    with app.app_context():
        own = sa.select(OAuthClient.id).where(OAuthClient.user_uuid == cast.user("alice").uuid)
        return session.scalars(own).first() or ""


def rows(app: Flask) -> dict[str, list[Row]]:
    """All rows of all tables."""
    with app.app_context(), reading(), transaction():
        tables = db.metadata.sorted_tables
        return {t.name: sorted(tuple(map(repr, row)) for row in session.execute(sa.select(t))) for t in tables}


@BOTH
@pytest.mark.timeout(600)
def test_a_request_that_promises_to_change_nothing_changes_no_row(world: World, app: Flask) -> None:
    before, acted, unseen = rows(app), [], []
    assert {name for name, found in before.items() if found} >= {"rooms", "participations", "webhook_deliveries"}
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in OF_NOBODY:
            continue
        seen = set()
        for address in world.addresses(rule):
            for method in sorted(SAFE_METHODS):
                answers = list(world.ask(method, address))
                assert all(answer.status_code < 500 for answer in answers), (method, address)
                seen |= {answer.status_code for answer in answers if method == "HEAD"}
        if rows(app) != before:
            acted.append(rule.endpoint)
            before = rows(app)
        if min(seen, default=404) >= 400:
            unseen.append(rule.endpoint)
    assert acted == []
    assert unseen == [], "nobody got to see these, so nothing was tried"


def test_services_are_told_that_head_is_no_callback(world: World, app: Flask) -> None:
    before = rows(app)
    address = f"/hooks/{world.ids['provider_id']}"
    assert world.cast.browser().head(address).status_code == 405
    assert world.cast.browser().options(address).status_code == 200
    assert rows(app) == before


@BOTH
def test_a_statement_that_writes_is_refused_while_reading(app: Flask, cast: Cast, in_app: None) -> None:
    with reading():
        room = cast.room()
        room.room_name = "Another name"
        with pytest.raises(WriteWhileReading):
            session.commit()
        session.rollback()
        with pytest.raises(WriteWhileReading):
            session.execute(sa.update(Room).values(room_name="Another name"))
        session.rollback()
        with pytest.raises(WriteWhileReading):
            session.execute(sa.delete(Room))
        session.rollback()
        with pytest.raises(WriteWhileReading):
            session.execute(sa.text(" update rooms set room_name = 'Another name'"))
        session.rollback()
        with writing():
            cast.room().room_name = "What a reader found"
    assert cast.room().room_name == "What a reader found"


@BOTH
def test_a_view_that_forgets_its_promise_answers_500_and_writes_nothing(app: Flask, cast: Cast) -> None:
    def forgets(**_address: str) -> str:
        session.scalars(sa.select(Room)).all()[0].room_name = "Taken over"
        return "done"

    app.view_functions["rooms.show"] = forgets
    alice, before = cast.sign_in("alice"), rows(app)
    assert alice.head(f"/manage/rooms/{cast.board}").status_code == 500
    assert alice.get(f"/manage/rooms/{cast.board}").status_code == 500
    assert rows(app) == before
