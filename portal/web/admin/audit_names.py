"""The names of what lines of the audit refer to. A line holds ids, by which programs go on; people read names.

What was deleted is called as the line of its deletion tells; where there is none, a detail about it shows the id.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.credentials.models import OAuthClient
from portal.customers.profile_models import CustomerAddress, CustomerTelephone, LegalDocument
from portal.db import read
from portal.people.models import ROLE_TITLE, PlatformRole, User
from portal.status.models import Participation
from portal.subscriptions.models import Subscription
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.provider_models import ServiceProvider

_PACKAGE = (ServicePackage.id, ServicePackage.name)
_REFERENCES: Mapping[str, tuple[tuple[Any, Any], ...]] = {
    "client": ((OAuthClient.id, OAuthClient.name),),
    "copied_from": (_PACKAGE,),
    "entry": (
        (CustomerAddress.id, CustomerAddress.city),
        (CustomerTelephone.id, CustomerTelephone.number),
        (LegalDocument.id, LegalDocument.value),
    ),
    "moderator": ((Participation.id, Participation.name),),
    "owner": ((User.id, User.name),),
    "package": (_PACKAGE,),
    "provider": ((ServiceProvider.id, ServiceProvider.provider_name),),
    "roles": ((PlatformRole.name, ROLE_TITLE),),
    "subscription": ((Subscription.id, Subscription.name),),
}
"""Field of a line that refers to something → by which column, and the column with its name, of each kind that it is."""

_NAMED_AT_THEIR_END = {
    "access_codes": "code.deleted",
    "account_members": "member.removed",
    "accounts": "account.deleted",
    "customer_members": "member.removed",
    "customers": "customer.deleted",
    "platform_roles": "role.deleted",
    "room_members": "member.removed",
    "rooms": "room.purged",
    "service_packages": "package.deleted",
    "service_providers": "provider.deleted",
    "subscriptions": "subscription.deleted",
    "webhook_endpoints": "webhook.deleted",
}
"""Table → the action whose lines tell the name of what was deleted."""


@dataclass
class Referred:
    """What some lines refer to, which is found by one statement."""

    words: set[tuple[str, str]] = field(default_factory=set)
    """(field, id or name)"""
    gone: set[UUID] = field(default_factory=set)
    """Things of which nothing but their uuid is known."""

    def add(self, name: str, value: object) -> None:
        """Note what the value of a field refers to."""
        if name in _REFERENCES:
            self.words |= {(name, word) for word in str(value or "").split()}

    def add_gone(self, table: str, uuid: UUID | None) -> None:
        """Note something of this table that is not there any more."""
        if uuid is not None and table in _NAMED_AT_THEIR_END:
            self.gone.add(uuid)


@dataclass(frozen=True)
class Names:
    """The names that were found."""

    words: Mapping[tuple[str, str], str] = field(default_factory=dict)
    gone: Mapping[UUID | None, str] = field(default_factory=dict)

    def of(self, name: str, value: object) -> str | None:
        """What the value of a field is called; None if it refers to nothing, or nothing is known of that."""
        words = str(value or "").split()
        known = [self.words.get((name, word)) for word in words]
        return ", ".join(found or word for found, word in zip(known, words, strict=True)) if any(known) else None


NO_NAMES = Names()


def names_of(referred: Referred) -> Names:
    """Read the names, by one statement, or none where nothing is referred to."""
    arms = [arm for name in _REFERENCES for arm in _arms(name, {word for one, word in referred.words if one == name})]
    if referred.gone:
        arms.append(_last_names(referred.gone))
    if not arms:
        return NO_NAMES
    words: dict[tuple[str, str], str] = {}
    gone: dict[UUID | None, str] = {}
    for name, word, called, uuid in read(sa.union_all(*arms)):
        if uuid is not None:
            gone[uuid] = called
        else:
            words[name, word] = called
    return Names(words, gone)


def _arms(name: str, words: Iterable[str]) -> list[sa.Select[*tuple[Any, ...]]]:
    listed = sorted(words)
    if not listed:
        return []
    nothing = sa.cast(sa.null(), sa.Uuid()).label("uuid")
    return [
        sa.select(sa.literal(name).label("name"), key.label("word"), called.label("called"), nothing)
        .where(key.in_(listed))
        for key, called in _REFERENCES[name]
    ]  # fmt: skip


def _last_names(gone: Iterable[UUID]) -> sa.Select[*tuple[Any, ...]]:
    called = AuditEvent.details["name"].as_string()
    return sa.select(
        sa.literal("").label("name"), AuditEvent.action.label("word"), called.label("called"), AuditEvent.thing_uuid
    ).where(AuditEvent.thing_uuid.in_(sorted(gone)), AuditEvent.action.in_(sorted({*_NAMED_AT_THEIR_END.values()})))


def name_of_gone(table: str, uuid: UUID) -> str | None:
    """How a thing of this table was called that was deleted; None if no line tells that it was."""
    told = _last_names([uuid]).where(AuditEvent.thing == table).order_by(AuditEvent.at.desc())
    return next((row.called for row in read(told)), None)
