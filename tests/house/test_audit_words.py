"""Every action that an operation notes, and every field of which it tells, has words for people: pages show no identifiers of code."""

import pytest

from portal.audit.action_words import action_words
from portal.audit.field_words import field_words
from portal.customers.models import Customer
from portal.customers.profile_models import CustomerAddress, CustomerTelephone, LegalDocument
from portal.db import TimestampMixin
from portal.identifiers import IdentifierMixin
from portal.media.operations import CHANGEABLE as RECORDING_FIELDS
from portal.subscriptions.changing import AUDITED as SUBSCRIPTION_FIELDS
from portal.subscriptions.packages import AUDITED as PACKAGE_FIELDS
from portal.subscriptions.renewal import AUDITED as RENEWAL_FIELDS
from portal.videos.operations import CHANGEABLE as VIDEO_FIELDS
from portal.webhooks.auditing import AUDITED as WEBHOOK_FIELDS
from tests.noted_actions import NotUnderstoodError, actions_in, noted_actions


def test_every_action_of_the_audit_has_words() -> None:
    actions = noted_actions()
    assert len(actions) > 90
    assert sorted(action for action in actions if str(action_words(action)) == action) == []


COMPUTED = """
NOUNS: dict[type, str] = {A: "x", B: "y"}

def written() -> None:
    record_event("plain", thing)

def chosen(what: bool) -> None:
    record_event("one" if what else "other", thing)

def named(what: bool) -> None:
    action = "yes" if what else "no"
    record_events(action, things)

def composed(thing: Thing) -> None:
    noun = {A: "a", B: "b"}[type(thing)]
    record_event(f"{noun}.changed", thing)

def looked_up(thing: Thing) -> None:
    record_event(f"{NOUNS[type(thing)]}.added", thing)

def handed_over(thing: Thing, action: str) -> None:
    record_event(action, thing)

def hands_over() -> None:
    handed_over(thing, "by.position")
    handed_over(thing, action="by.name")
"""


def test_computed_actions_are_seen() -> None:
    assert actions_in(COMPUTED, "computed.py") == {
        "plain", "one", "other", "yes", "no", "a.changed", "b.changed", "x.added", "y.added", "by.position", "by.name",
    }  # fmt: skip


@pytest.mark.parametrize("how", ["record_event(words[0], thing)", "record_event(action, thing)", "x.record_event(a())"])
def test_an_action_that_cannot_be_read_is_no_silent_gap(how: str) -> None:
    with pytest.raises(NotUnderstoodError):
        actions_in(f"def does(action: str) -> None:\n    {how}\n", "does.py")


def test_every_field_that_is_told_before_and_after_has_words() -> None:
    own = {IdentifierMixin, TimestampMixin}
    unchanged = {"owner_uuid", "customer_uuid", "customer_key", "sort_name", "name_words", "webhooks"}
    unchanged |= {name for mixin in own for name in ("uuid", "id", *mixin.__annotations__)}
    models = (Customer, CustomerAddress, CustomerTelephone, LegalDocument)
    columns = {column.name for model in models for column in model.__table__.columns}
    fields = {*PACKAGE_FIELDS, *SUBSCRIPTION_FIELDS, *RENEWAL_FIELDS, *WEBHOOK_FIELDS, *RECORDING_FIELDS, *VIDEO_FIELDS}
    told = {*fields, *(columns - unchanged)}
    assert sorted(name for name in told if field_words(name) is None) == []
