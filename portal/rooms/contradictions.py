"""Settings that cannot come true, refused when somebody saves them, with the reason beside the field.

The adapter declares which of its settings contradict one another, and which need a feature that the plan has to grant.
What counts is the room as it will be, whatever part of it somebody sends. What was stored before stays, because plan
or service may have changed since: whoever changes something else is not kept from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.errors import Invalid, Message
from portal.providers import registry
from portal.providers.base import Adapter, Contradiction
from portal.rooms.features import effective_features, grants
from portal.rooms.settings import WITHIN, declared, set_value
from portal.subscriptions.declared_values import value_path
from portal.subscriptions.feature_catalog import FEATURES, Value
from portal.subscriptions.provider_models import ServiceType
from portal.subscriptions.queries import plan_of


@dataclass(frozen=True)
class Choices:
    """What is chosen for a room: its `room_settings` and `room_features`."""

    settings: Mapping[str, Any]
    features: Mapping[str, Any]


@dataclass(frozen=True)
class RoomBasis:
    """What a room's choices are judged by: its type, its plan, and the type of the service behind it."""

    room_type: ServiceType
    provider_type: str
    subscription_uuid: UUID


def refuse_contradictions(basis: RoomBasis, *, before: Choices, after: Choices) -> None:
    """Raise `Invalid` if a change brings what cannot come true, on the settings or features that were changed.

    The plan is read by one statement, and only if the change is about something that an adapter has declared so.
    """
    adapter = registry.adapter(basis.provider_type)
    settings = _changed(before.settings, after.settings)
    features = _changed(before.features, after.features)
    needing = [one for one in adapter.settings if one.feature and one.name in settings & after.settings.keys()]
    touched = [one for one in adapter.contradictions if settings & {*one.settings} or features & {*one.features}]
    if not needing and not touched:
        return
    plan = plan_of(basis.subscription_uuid).values
    refused = {
        value_path(WITHIN, one.name): Message(
            "The plan of this room does not grant what this needs: %(feature)s.", feature=FEATURES[one.feature].label
        )
        for one in needing
        if not grants(plan, one.feature)
    }
    for one in touched:
        path = _path_of_refusal(one, _values(adapter, basis, plan, before), _values(adapter, basis, plan, after))
        if path is not None:
            refused.setdefault(path, one.words)
    if refused:
        raise Invalid(**refused)


Values = tuple[dict[str, Any], dict[str, Any]]
"""The settings of a room with their defaults filled in, and its features in force by code."""


def _values(adapter: Adapter, basis: RoomBasis, plan: Mapping[str, Value], choices: Choices) -> Values:
    settings = declared(basis.room_type, basis.provider_type)
    rows = effective_features(plan, choices.features, basis.room_type, adapter.features)
    return (
        {name: set_value(one, choices.settings) for name, one in settings.items()},
        {code: row.used_value for code, row in rows.items()},
    )


def _path_of_refusal(contradiction: Contradiction, before: Values, after: Values) -> str | None:
    """Where to say that the change contradicts; None if it does not, or if it did before and nothing of it changes."""
    if not contradiction.holds(*after):
        return None
    names = [(WITHIN, 0, name) for name in contradiction.settings]
    names += [("room_features", 1, code) for code in contradiction.features]
    changed = [value_path(within, name) for within, at, name in names if before[at].get(name) != after[at].get(name)]
    return changed[0] if changed else None


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}
