"""The world in which the tables are played: made once for a file, its things anew for every attempt."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account, AccountMember
from portal.admission.codes import create_code
from portal.admission.issuing import issue_token
from portal.app import create_app
from portal.clock import now
from portal.customers.models import Customer, CustomerMember
from portal.customers.profile_entries import add_entry
from portal.customers.profile_models import (
    AddressType,
    CustomerAddress,
    CustomerTelephone,
    DocumentType,
    LegalDocument,
    TelephoneType,
)
from portal.db import db, session, transaction
from portal.media.models import RecordingVisibility
from portal.people.actor import actor_of
from portal.people.models import PlatformRole, User
from portal.people.operations import create_user
from portal.people.staff import StaffPermission
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.rooms.models import Role, Room
from portal.scopes import Scope
from portal.status.models import RoomSession
from portal.subscriptions.granting import remove_feature, set_feature
from portal.subscriptions.models import Subscription, SubscriptionFeature
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.package_providers import add_package_provider
from portal.subscriptions.packages import create_package
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.service_providers import create_provider
from portal.subscriptions.switching import providers_of
from portal.videos.models import RoomVideo, VideoCaption, VideoState
from portal.webhooks.events import Event
from portal.webhooks.models import WebhookDelivery, WebhookEndpoint
from portal.webhooks.operations import create_endpoint, test_endpoint
from tests.api.authorization.table import Line, body_of, description
from tests.api.conftest import EVERYTHING, Program, credential
from tests.cast import Cast, Client, new_recording, new_room
from tests.conftest import settings_for

DEMO_ROOMS = ("Board meeting", "Open house")
WITH_ADMIN = (*EVERYTHING, Scope.ADMIN)
FEATURE = "max_duration"
PERSON = {"staff": "admin", "ada": "admin", "reader": "rita", "lacks": "bob", "client": "alice"}


class World:
    """Acme with two rooms, Globex with one, each with everything that a room can have."""

    def __init__(self, app: Flask) -> None:
        self.app, self.cast = app, Cast(app)
        self.tokens: dict[tuple[str, tuple[Scope, ...]], str] = {}
        with app.app_context(), transaction():
            session.execute(
                sa.update(SubscriptionFeature).where(SubscriptionFeature.code == "max_rooms").values(number=None)
            )
            for name in ("dana", "erin", "frank"):
                create_user(email=f"{name}@demo.example", name=name.title())
            rita = create_user(email="rita@demo.example", name="Rita")
            reading = [StaffPermission.DASHBOARD_ACCESS, StaffPermission.ROOMS_READ]
            rita.platform_roles = [PlatformRole(name="room-readers", permissions=[str(one) for one in reading])]
            self.accounts = session.scalars(sa.select(Account.uuid)).all()
            self.subscriptions = session.scalars(sa.select(Subscription.uuid)).all()
            globex = self._account("charlie").customer
            session.add(CustomerMember(customer=globex, user=self.cast.user("erin")))  # may be added in its rooms

    def set_up(self, granted: frozenset[Permission]) -> dict[str, str]:
        """Everything anew, with Bob's rights in `{room}`; name → id."""
        with self.app.app_context(), transaction():
            session.execute(sa.delete(WebhookEndpoint))
            session.execute(sa.delete(Room).where(Room.room_name.not_in(DEMO_ROOMS)))
            self._forget_what_customers_got()
            session.expire_all()
            acme, globex = self._account("alice"), self._account("charlie")
            names = _furnish(acme, "", self.cast.user("dana"))
            if granted:
                room = self.cast.room(names["room"])
                films = self.cast.room(names["films"])
                for one in (room, films):
                    session.add(RoomMember(room=one, user=self.cast.user("bob"), permissions=sorted(granted)))
            names |= _furnish(acme, "2", self.cast.user("erin"))
            theirs = _furnish(globex, "", self.cast.user("frank"))
            names |= _profile(acme.customer)
            theirs |= _profile(globex.customer)
            names |= {f"their_{name}": value for name, value in theirs.items()}
            people = {name: self.cast.user(name).id for name in ("bob", "charlie", "dana")}
            return names | people | {"open": self.cast.open_house} | _staff() | _packages(acme.subscription.package)

    def _forget_what_customers_got(self) -> None:
        """Only the demo's customers, accounts and subscriptions. Only Acme's plan grants `{feature}`.

        Charlie is a member of Acme, Erin of Globex, Dana of Acme's account.
        """
        session.execute(sa.delete(Account).where(Account.uuid.not_in(self.accounts)))
        session.execute(sa.delete(Subscription).where(Subscription.uuid.not_in(self.subscriptions)))
        session.execute(sa.delete(Customer).where(Customer.company_name == "Initech"))
        for kind in (CustomerAddress, CustomerTelephone, LegalDocument):
            session.execute(sa.delete(kind))
        session.execute(sa.delete(CustomerMember))
        session.execute(sa.delete(AccountMember))
        session.expire_all()
        acme, globex = self._account("alice"), self._account("charlie")
        session.add(CustomerMember(customer=acme.customer, user=self.cast.user("charlie")))
        session.add(CustomerMember(customer=globex.customer, user=self.cast.user("erin")))
        session.add(AccountMember(account=acme, user=self.cast.user("dana"), permissions=["usage:view"]))
        set_feature(acme.subscription, code=FEATURE, value=60)
        if FEATURE in globex.subscription.values:
            remove_feature(globex.subscription, code=FEATURE)

    def play(self, member: str, line: Line, names: dict[str, str]) -> Any:  # a response whose `json` is there
        """What this member is answered."""
        body = body_of(self.app, line, names)
        return self.caller(member, line).call(line.method, line.address.format(**names), body)

    def caller(self, member: str, line: Line) -> Program:
        """A program as this member has it."""
        if member == "nobody":
            return Program(self.app, "")
        needed = description(self.app, line).scope
        scopes = WITH_ADMIN if member in {"staff", "reader"} else EVERYTHING
        if member == "client":
            scopes = tuple(scope for scope in EVERYTHING if scope is not needed)
        return Program(self.app, self.token(PERSON.get(member, member), scopes))

    def token(self, name: str, scopes: tuple[Scope, ...]) -> str:
        """An access token of this person, the same for all lines."""
        if (name, scopes) not in self.tokens:
            self.tokens[name, scopes] = self.new_token(name, scopes)
        return self.tokens[name, scopes]

    def new_token(self, name: str, scopes: tuple[Scope, ...]) -> str:
        """An access token that nobody else uses."""
        answer = self.app.test_client().post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=credential(self.app, self.cast, name, *scopes),
        )
        assert answer.json is not None
        return str(answer.json["access_token"])

    def _account(self, owner: str) -> Account:
        query = sa.select(Account).where(Account.owner_uuid == self.cast.user(owner).uuid)
        return session.scalars(query).unique().one()


def _furnish(account: Account, mark: str, user: User) -> dict[str, str]:
    """A room with one of everything; name with `mark` → id."""
    owner = account.owner
    by = actor_of(owner)
    room = new_room(account=account, room_name="Made for a table", by=actor_of(owner))
    session.add(RoomMember(room=room, user=user, permissions=[Permission.ROOM_VIEW]))
    run = RoomSession(room=room, ended_at=now())
    session.add(run)
    token = issue_token(room=room, role=Role.GUEST, by=by)
    chair = issue_token(room=room, role=Role.MODERATOR, by=by)
    code = create_code(room=room, role=Role.ATTENDEE, by=by, code="OPEN-2027")
    hook = _hook(account, room, owner)
    everywhere = _hook(account, None, owner)
    sent, sent_everywhere = _sent(hook, owner), _sent(everywhere, owner)
    recording, shared = (
        new_recording(room=room, visibility=visibility)
        for visibility in (RecordingVisibility.OWNER, RecordingVisibility.MEMBERS)
    )
    films = new_room(account=account, room_name="Films for a table", by=by)
    films.room_type = ServiceType.VIDEO
    session.add(RoomMember(room=films, user=user, permissions=[Permission.ROOM_VIEW]))
    film = RoomVideo(room=films, name="Film", state=VideoState.FAILED, source="file-x", playable=True)
    hidden = RoomVideo(room=films, name="Rushes", state=VideoState.WAITING, published=False)
    session.add_all([film, hidden])
    session.flush()
    spoken = VideoCaption(video=film, language="en", label="English", text="WEBVTT\n")
    session.add(spoken)
    session.flush()
    found = {
        "room": room.id,
        "films": films.id,
        "film": film.id,
        "rushes": hidden.id,
        "captions": spoken.id,
        "recording": recording.id,
        "shared": shared.id,
        "token": token.id,
        "chair": chair.id,
        "link": token.token,
        "code": code.id,
        "user": user.id,
        "run": run.id,
        "hook": hook.id,
        "delivery": sent.id,
        "wide": everywhere.id,
        "wide_delivery": sent_everywhere.id,
        "owner": owner.id,
        "account": account.id,
        "customer": account.customer.id,
        "subscription": account.subscription.id,
        "default_provider": providers_of(account.subscription)[0].id,
    }
    return {f"{name}{mark}": value for name, value in found.items()}


def _profile(customer: Customer) -> dict[str, str]:
    """An address, a telephone and a legal document of a customer; name → id."""
    city: dict[str, Any] = {"address_type": AddressType.POSTAL, "city": "Berlin", "po_box": "10 20 30"}
    return {
        "address": add_entry(customer, CustomerAddress, **city).id,
        "telephone": add_entry(
            customer, CustomerTelephone, telephone_type=TelephoneType.LANDLINE, number="+49 30 901820"
        ).id,
        "document": add_entry(customer, LegalDocument, type=DocumentType.OTHER, value="HRB 1").id,
    }


def _staff() -> dict[str, str]:
    """A role that somebody holds, one that nobody holds, and a user who owns nothing; name → id."""
    mark = token_hex(4)
    held, free = (PlatformRole(name=f"{name}-{mark}", permissions=["dashboard:access"]) for name in ("held", "free"))
    clerk, person = (create_user(email=f"{name}-{mark}@demo.example", name=name) for name in ("Clerk", "Person"))
    clerk.platform_roles = [held]
    session.add(free)
    session.flush()
    return {"held_role": held.id, "role": free.id, "clerk": clerk.id, "person": person.id}


def _packages(sold: ServicePackage) -> dict[str, str]:
    """A package that was not sold, another one without features, what Acme bought, and providers; name → id."""
    used = session.scalars(sa.select(ServiceProvider).order_by(ServiceProvider.uuid).limit(1)).one()
    free = create_provider(provider_name="Free", provider_type="mesh")
    about: dict[str, Any] = {"service_type": ServiceType.MEET, "currency": "EUR", "provider": used}
    package = create_package(name="Unsold", features={FEATURE: 60}, **about)
    other = create_package(name="Another", **about)
    spare = add_package_provider(sold, provider=create_provider(provider_name="Spare", provider_type="mesh"))
    return {
        "package": package.id,
        "their_package": other.id,
        "sold_package": sold.id,
        "feature": FEATURE,
        "attached": package.providers[0].id,
        "spare_provider": spare.id,
        "used_provider": used.id,
        "free_provider": free.id,
    }


def _hook(account: Account, room: Room | None, owner: User) -> WebhookEndpoint:
    return create_endpoint(
        customer=account.customer,
        room=room,
        url="https://hooks.example/",
        events=[Event.ROOM_DELETED],
        by=actor_of(owner),
    )


def _sent(hook: WebhookEndpoint, owner: User) -> WebhookDelivery:
    return test_endpoint(hook, by=actor_of(owner))


@pytest.fixture(scope="module")
def world(furnished_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An application of its own for the whole file, in which nobody asks too often."""
    folder = tmp_path_factory.mktemp("world")
    shutil.copy(furnished_sqlite, folder / "foyer.db")
    app = create_app(settings_for(f"sqlite:///{folder / 'foyer.db'}", folder, api_rate="1000000 per minute"))
    app.test_client_class = Client
    yield World(app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
