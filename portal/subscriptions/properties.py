"""Properties of provider rows: judged by what the adapter declares, with secrets sealed before they are stored."""

from collections.abc import Mapping
from typing import Any

from portal import vault
from portal.errors import Invalid, Message
from portal.providers.base import Adapter, FieldKind
from portal.subscriptions.declared_values import NAME_SHOWN, checked_values, value_path

PURPOSE = "provider-properties"  # of the vault
WITHIN = "properties"


def merged_properties(stored: Mapping[str, Any], changes: Mapping[str, Any], *, adapter: Adapter) -> dict[str, Any]:
    """`stored` with `changes` laid over it, as the row keeps it; None (and an empty text) removes a property.

    Secrets come in plain and go out sealed; one that is left out stays, unless an address is set or changes: it would
    go there.
    Raises `Invalid` on `properties.<name>` for each that is bad, that the adapter does not know, or that it needs and
    that is missing.
    """
    declared = {one.name: one for one in adapter.properties}
    checked = checked_values(changes, declared=declared, within=WITHIN, undeclared=_refuse)
    sealed = {
        name: vault.seal(value, purpose=PURPOSE)
        if value is not None and declared[name].kind is FieldKind.SECRET
        else value
        for name, value in checked.items()
    }
    result = {name: value for name, value in (dict(stored) | sealed).items() if value is not None}
    _require_secrets_again(stored, checked, result, adapter)
    if missing := [one.name for one in adapter.properties if one.required and one.name not in result]:
        raise Invalid(**{value_path(WITHIN, name): Message("This is required.") for name in missing})
    return result


def _require_secrets_again(
    stored: Mapping[str, Any], sent: Mapping[str, Any], result: Mapping[str, Any], adapter: Adapter
) -> None:
    """Raise `Invalid` on stored secrets that would go to another address. Whoever changes that has to know them."""
    moved = any(
        one.kind is FieldKind.ADDRESS and result.get(one.name) not in (None, stored.get(one.name))
        for one in adapter.properties
    )
    kept = [
        one.name
        for one in adapter.properties
        if one.kind is FieldKind.SECRET and one.name in stored and one.name not in sent
    ]
    if moved and kept:
        again = Message("Type this again for the new address.")
        raise Invalid(**{value_path(WITHIN, name): again for name in kept})


def plain_properties(stored: Mapping[str, Any], *, adapter: Adapter) -> dict[str, Any]:
    """What is stored of the declared properties that are no secrets, by the names under which the API refuses them."""
    return {
        value_path(WITHIN, one.name): stored[one.name]
        for one in adapter.properties
        if one.kind is not FieldKind.SECRET and one.name in stored
    }


def unsealed_properties(stored: Mapping[str, Any], *, adapter: Adapter) -> dict[str, Any]:
    """Every declared property as the adapter gets it: secrets in plain, defaults for what is not stored."""
    result: dict[str, Any] = {}
    for declared in adapter.properties:
        value = stored.get(declared.name)
        if value is not None and declared.kind is FieldKind.SECRET:
            value = vault.unseal(value, purpose=PURPOSE)
        result[declared.name] = declared.default if value is None else value
    return result


def _refuse(name: str, _value: object) -> Any:
    words = Message("This type of provider has no property %(name)s.", name=name[:NAME_SHOWN])
    raise Invalid(**{value_path(WITHIN, name): words})
