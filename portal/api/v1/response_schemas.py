"""The schemas of responses in the OpenAPI document. A test checks that the output of `portal.serializers` fits them."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from portal.admission.decision import Check, Reason
from portal.customers.models import CustomerStatus
from portal.permissions.permission import Permission
from portal.providers.base import LiveState
from portal.providers.fetch import Trouble
from portal.rooms.models import Role, RoomStatusWord
from portal.status.models import Ending, Source
from portal.subscriptions.models import ServiceType, SubscriptionStatus
from portal.webhooks.events import Event
from portal.webhooks.models import DeliveryState, EndpointStatus, PauseReason
from portal.webhooks.serializers import WITHHELD

Id = Annotated[str, Field(description="The short public identifier.", examples=["u6Yh3DpQ2x"])]
Value = int | bool | None
ScalarMap = dict[str, Any]


class ResponseModel(BaseModel):
    """The base class of all parts of responses: no other fields than those declared."""

    model_config = ConfigDict(extra="forbid")


def _needs_identity_only(schema: dict[str, Any]) -> None:
    schema["required"] = [name for name in ("object", "id") if name in schema["properties"]]


class Resource(ResponseModel):
    """A resource, of which `filter` may leave out every field except `object` and `id`."""

    model_config = ConfigDict(json_schema_extra=_needs_identity_only)


class IdentifiedResource(Resource):
    """The identifiers of a thing, and when it was created and last changed."""

    object: str
    id: Id
    uuid: Annotated[str, Field(description="UUIDv7 (RFC 9562).")]
    ulid: Annotated[str, Field(description="The same 128 bits in Crockford's base 32.")]
    created_at: datetime
    updated_at: datetime


class EffectiveFeatureSchema(Resource):
    """What the plan says, what the room says, what counts, and why."""

    code: str
    subscription_value: Value
    room_value: Value
    used_value: Value
    reason: str


Item = TypeVar("Item")


class Included(ResponseModel, Generic[Item]):
    """A relation that was asked for by `include`."""

    data: Item


class UserSchema(IdentifiedResource):
    """A person who signs in."""

    object: Literal["User"]
    name: str
    email: str


class RoomUserSchema(IdentifiedResource):
    """A user of a room, and what he may do in it. `id` is the user's."""

    object: Literal["RoomUser"]
    room_id: Id
    name: str
    email: str
    owner: bool
    permissions: list[Permission]
    until: datetime | None


class RoomTokenSchema(IdentifiedResource):
    """A link into one room with one role."""

    object: Literal["RoomToken"]
    room_id: Id
    token: str = Field(default="", description="Left out for callers who may not hand this link out.")
    url: str = Field(default="", description="Left out like `token`.")
    role: Role
    expires_at: datetime | None
    last_usage: datetime | None
    label: str
    person: str
    not_before: datetime | None
    max_uses: int | None
    use_count: int
    paused: bool
    automatic: bool
    created_by: Id | None


class RoomAccessCodeSchema(IdentifiedResource):
    """A code that people with a link of the same role have to know."""

    object: Literal["RoomAccessCode"]
    room_id: Id
    code: str
    role: Role
    expires_at: datetime | None
    last_usage: datetime | None
    label: str
    use_count: int
    created_by: Id | None


class RoomStatusSchema(IdentifiedResource):
    """The stored snapshot of what is happening in a room. `id` is the room's."""

    object: Literal["RoomStatus"]
    status: Literal["active", "inactive"]
    state: LiveState
    since: datetime | None
    stale: bool
    source: Source
    counts: Annotated[
        dict[str, int | None],
        Field(
            description="Figures by key; null where the service does not tell. Rooms of type meet always have "
            "`participants`, `moderators`, `attendees` and `guests`, each a number."
        ),
    ]
    labels: Annotated[dict[str, str], Field(description="What each figure is called, by its key.")]
    names: list[str]
    last_live_at: datetime | None
    checked_at: datetime


class ParticipationSchema(Resource):
    """One person's time in a run of a room, and by which link or as which member."""

    object: Literal["Participation"]
    id: Id
    name: str
    role: Role
    token_id: Id | None
    token_label: str | None
    member: str | None
    entered_at: datetime
    left_at: datetime | None
    ending: Ending | None


class SessionParticipationSchema(ParticipationSchema):
    """One person's time in a run, with the ids of the run and the room: what webhooks tell."""

    session_id: Id
    room_id: Id


class RefusedVisitSchema(Resource):
    """Somebody who wanted to come in and was refused, or has to wait: what webhooks tell. `id` is the room's."""

    object: Literal["Room"]
    id: Id
    room_id: Id
    role: Role
    reason: Reason | Literal["wait"]


class RoomSessionSchema(IdentifiedResource):
    """One run of a room."""

    object: Literal["RoomSession"]
    room_id: Id
    started_at: datetime
    ended_at: datetime | None
    most: Annotated[int, Field(description="How many people were in at the same time, at most.")]
    participations: Included[list[ParticipationSchema]] | None = None


class CustomerSchema(IdentifiedResource):
    """A customer: the company or person who pays."""

    object: Literal["Customer"]
    customer_type: Literal["business", "personal"]
    company_name: str | None
    first_name: str | None
    last_name: str | None
    email: str
    status: CustomerStatus
    owner_id: Id


class SubscriptionSchema(IdentifiedResource):
    """What a customer bought. Unlimited numbers are `true`."""

    object: Literal["Subscription"]
    name: str
    customer_id: Id
    service_type: ServiceType
    status: SubscriptionStatus
    is_active: bool
    starts_at: datetime
    ends_at: datetime | None
    cancels_at: datetime | None
    features: dict[str, int | bool]
    customer: Included[CustomerSchema] | None = None


class AccountSchema(IdentifiedResource):
    """An instance of a service that a customer bought."""

    object: Literal["Account"]
    account_name: str
    status: Literal["active", "inactive"]
    customer_id: Id
    subscription_id: Id
    owner_id: Id
    customer: Included[CustomerSchema] | None = None
    subscription: Included[SubscriptionSchema] | None = None


class RoomSchema(IdentifiedResource):
    """Where people meet. `actions` are what the caller may do with it."""

    object: Literal["Room"]
    customer_id: Id
    account_id: Id
    subscription_id: Id
    owner_id: Id
    room_name: str
    status: RoomStatusWord
    is_public: bool
    room_type: ServiceType
    slug: str
    url: str
    room_features: ScalarMap
    room_settings: ScalarMap
    room_metadata: ScalarMap
    actions: list[Permission]
    account: Included[AccountSchema] | None = None
    customer: Included[CustomerSchema] | None = None
    subscription: Included[SubscriptionSchema] | None = None
    owner: Included[UserSchema] | None = None
    tokens: Included[list[RoomTokenSchema]] | None = None
    access_codes: Included[list[RoomAccessCodeSchema]] | None = None
    users: Included[list[RoomUserSchema]] | None = None
    room_status: Included[RoomStatusSchema] | None = None
    effective_features: Included[list[EffectiveFeatureSchema]] | None = None


class FeatureSchema(Resource):
    """One feature of the fixed catalogue."""

    object: Literal["Feature"]
    id: str
    code: str
    label: str
    type: Literal["number", "boolean"]
    unit: str | None
    room_types: list[ServiceType]
    narrowable: bool


class JudgedSchema(ResponseModel):
    """One check of the decision whether somebody may enter."""

    check: Check
    outcome: Literal["passed", "stopped", "later"]
    words: str


class DecisionSchema(Resource):
    """May somebody enter? The result, and each check in its order."""

    object: Literal["AccessDecision"]
    result: Literal["enter", "wait", "refuse"]
    role: Role | None
    wait_for: Literal["opening", "host", "approval"] | None
    until: datetime | None
    reason: Reason | None
    checks: list[JudgedSchema]


class JoinTicketSchema(DecisionSchema):
    """The decision, and if it lets somebody in, an address that opens the room once within a minute."""

    entry_url: str | None
    expires_at: datetime | None


class WebhookSchema(IdentifiedResource):
    """Who is told of what happens in a room, or in all rooms of the customer (`room_id` is null)."""

    object: Literal["Webhook"]
    customer_id: Id
    room_id: Id | None
    url: str
    events: list[Event]
    description: str
    secret: Annotated[str, Field(description="Only where it was just made or rotated.")] | None = None
    old_secret_until: Annotated[datetime | None, Field(description="Until then the secret before signs as well.")]
    status: EndpointStatus
    paused_at: datetime | None
    paused_why: PauseReason | None
    failures: Annotated[int, Field(description="Tries in a row that failed.")]
    failing_since: datetime | None
    owner_id: Annotated[
        Id | None,
        Field(description="Who saved it last: nothing is sent that this person may no longer see."),
    ]


class WebhookDeliverySchema(IdentifiedResource):
    """A message to a webhook, and what became of its last try."""

    object: Literal["WebhookDelivery"]
    webhook_id: Id
    event: Annotated[str, Field(description="One of `Event`, or `webhook.test`.", examples=["participant.joined"])]
    message_id: Annotated[str, Field(description="What the receiver sees as `webhook-id`; the same at every try.")]
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    ended_at: datetime | None
    answered_at: datetime | None
    answer_status: int | None
    answer_body: Annotated[str, Field(description="Its first 500 characters.")]
    answer_milliseconds: int | None
    trouble: Annotated[
        str | None,
        Field(
            description="Why it is not sent any more, or why its last try had no answer.",
            examples=[str(WITHHELD), *(str(trouble.words) for trouble in Trouble)],
        ),
    ]


class ProblemSchema(ResponseModel):
    """Every refusal: what happened, and what is wrong with which field."""

    message: str
    errors: dict[str, list[str]] | None = None
    error_id: str | None = None


class Meta(ResponseModel):
    """The relations that can be included."""

    include: list[str]
    custom: list[Any]


class PageLinks(ResponseModel):
    """Addresses of the pages before and after this one."""

    previous: str | None
    next: str | None


class Cursor(ResponseModel):
    """Where the next page begins; null on the last."""

    next: str | None


class Pagination(ResponseModel):
    """Where this page stands. By cursor there is no total."""

    total: int | None = None
    count: int
    per_page: int
    current_page: int | None = None
    total_pages: int | None = None
    cursor: Cursor | None = None
    links: PageLinks


class ListMeta(Meta):
    """What may be included, and where this page stands."""

    pagination: Pagination
