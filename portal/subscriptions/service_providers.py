"""Making, changing, testing and deleting service providers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import structlog
from sqlalchemy.exc import IntegrityError

from portal.audit.changes import differences, values_of
from portal.audit.operations import record_event
from portal.clock import now
from portal.db import committed_step, lock, session, without_transaction
from portal.errors import Conflict, Invalid, InvalidFields, Message
from portal.metadata import checked_metadata
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.providers import registry
from portal.providers.base import FieldKind, ProviderError, Testable
from portal.subscriptions.properties import WITHIN, merged_properties, plain_properties, unsealed_properties
from portal.subscriptions.provider_health import record_answer, record_failure
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.provider_uses import reason_to_keep, reason_to_keep_active
from portal.subscriptions.services import adapter_of

log = structlog.get_logger()

ALSO_CALLED = {"bbb": "bigbluebutton"}
"""What programs may write for a type → its key."""


class ProviderChanges(TypedDict, total=False):
    """What can be changed of a provider. Of `properties` those that are named; None removes one."""

    provider_name: str
    active: bool
    draining: bool
    properties: Mapping[str, Any]
    metadata: Mapping[str, Any]


def create_provider(
    *,
    provider_type: str,
    service_type: ServiceType = ServiceType.MEET,
    by: Actor | None = None,
    **about: Unpack[ProviderChanges],
) -> ServiceProvider:
    """A service that packages can be sold with. `provider_name` is required. `by` is None for the portal itself.

    Raises `Invalid`, for a property on `properties.<name>`.
    """
    key = known_type(provider_type)
    if service_type not in registry.adapter(key).kinds:
        raise Invalid(service_type=Message("This service has no rooms of this type."))
    provider = ServiceProvider(provider_type=key, service_type=service_type, properties={})
    _set(provider, {"provider_name": "", "properties": {}, **about})
    session.add(provider)
    session.flush()
    record_event("provider.created", provider, by=by, kind=key)
    return provider


def known_type(provider_type: str) -> str:
    """The key of this type. Raises `Invalid` on `provider_type` if there is no such type."""
    key = ALSO_CALLED.get(provider_type, provider_type)
    if key not in registry.known():
        words = Message("There is no such type of service. Use one of: %(types)s.", types=", ".join(registry.known()))
        raise Invalid(provider_type=words)
    return key


def change_provider(provider: ServiceProvider, *, by: Actor | None = None, **changes: Unpack[ProviderChanges]) -> None:
    """Change what is named. A secret that is left out stays.

    Raises `Invalid`, for a property on `properties.<name>`, or `Conflict` if it is to become inactive while it is the
    default of something. Lines of the audit name secrets that are replaced, and never tell one.
    """
    session.flush()  # of two who change it at once, the second merges into what the first made of it
    lock(provider)
    if provider.active and changes.get("active") is False:
        reason = reason_to_keep_active(provider)
        if reason is not None:
            raise Conflict(reason)
    before, secrets = _audited(provider), _secrets(provider)
    _set(provider, changes)
    session.flush()
    told = differences(before, _audited(provider))
    if replaced := differences(secrets, _secrets(provider)):
        record_event("provider.updated", provider, by=by, changes=told, secrets=", ".join(replaced))
    elif told:
        record_event("provider.updated", provider, by=by, changes=told)


def _audited(provider: ServiceProvider) -> dict[str, Any]:
    """The values that lines of the audit tell: all but secrets."""
    own = values_of(provider, ("provider_name", "active", "draining", "provider_metadata"))
    return own | plain_properties(provider.properties, adapter=adapter_of(provider))


def _secrets(provider: ServiceProvider) -> dict[str, str]:
    """The secrets as they are stored, sealed, to see which of them are replaced."""
    declared = adapter_of(provider).properties
    return {one.name: provider.properties.get(one.name, "") for one in declared if one.kind is FieldKind.SECRET}


def _set(provider: ServiceProvider, changes: ProviderChanges) -> None:
    wrong = InvalidFields()
    values: dict[str, Any] = {name: changes[name] for name in ("active", "draining") if name in changes}
    with wrong.gathered():
        if "provider_name" in changes:
            values["provider_name"] = clean_name(changes["provider_name"], field="provider_name", longest=NAME_LENGTH)
    with wrong.gathered():
        if "properties" in changes:
            values["properties"] = merged_properties(
                provider.properties, changes["properties"], adapter=adapter_of(provider)
            )
    with wrong.gathered():
        if "metadata" in changes:
            values["provider_metadata"] = checked_metadata(changes["metadata"], field="metadata")
    wrong.raise_if_any()
    for column, value in values.items():
        setattr(provider, column, value)
    if "properties" in changes:
        provider.tested_at = None  # it may be another server now


def delete_provider(provider: ServiceProvider, *, by: Actor | None) -> None:
    """Delete a provider. Raises `Conflict`, naming where it is attached, if it is. Runs that it had keep no trace."""
    lock(provider)
    reason = reason_to_keep(provider)
    if reason is not None:
        raise Conflict(reason)
    record_event("provider.deleted", provider, by=by, name=provider.provider_name, kind=provider.provider_type)
    try:
        with session.begin_nested():
            session.delete(provider)
    except IntegrityError:
        raise Conflict(
            Message("Something still has this service, such as videos that it holds. Delete those first.")
        ) from None


@dataclass(frozen=True)
class ServiceAnswer:
    """What a service answered to a test: `told` is what it says about itself, such as its version.

    `tested` is False for a service that is built in, with which there is nothing to test.
    """

    tested: bool
    told: Mapping[str, str]


def try_connection(
    *, provider_type: str, properties: Mapping[str, Any], stored: ServiceProvider | None = None
) -> ServiceAnswer:
    """Ask the service that has these properties, laid over those `stored`, whether it can be used.

    Nothing is saved, but if just what is stored was tested, its health: that the service answered, or did not.
    No transaction is open meanwhile. Raises `Invalid` on `properties.<name>` of the property that is to blame, or on
    `properties` if none is.
    """
    adapter = registry.adapter(known_type(provider_type))
    kept = stored.properties if stored is not None else {}
    tested = stored if not properties else None
    plain = unsealed_properties(merged_properties(kept, properties, adapter=adapter), adapter=adapter)
    try:
        service = adapter.bind(plain)
        if not isinstance(service, Testable):
            return ServiceAnswer(tested=False, told={})
        asked_at = now()
        with without_transaction():
            told = dict(service.test())
    except ProviderError as error:
        if tested is not None:
            _record_failed_test(tested, error)
        field = f"{WITHIN}.{error.field}" if error.field else WITHIN
        said = error.args[0]
        words = said if isinstance(said, Message) else Message("The service answered something else than expected.")
        raise Invalid(**{field: words}) from error
    except Exception as error:
        log.warning("a service could not be tested", type=adapter.key, error=type(error).__name__)
        if tested is not None:
            _record_failed_test(tested, error)
        raise Invalid(**{WITHIN: Message("The service could not be tested. Look at its properties.")}) from error
    if tested is not None:
        record_answer(tested.uuid, asked_at, version=told.get("version"))
    return ServiceAnswer(tested=True, told=told)


def _record_failed_test(provider: ServiceProvider, error: Exception) -> None:
    with committed_step():  # the refusal that follows undoes the rest
        record_failure(provider.uuid, error, now())
