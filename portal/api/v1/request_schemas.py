"""The schemas of request bodies: types and bounds. Operations judge what the values mean."""

from typing import Annotated, Any

from pydantic import Field

from portal.admission.models import LABEL_LENGTH
from portal.admission.secrets import CODE_LONGEST, CODE_SHORTEST
from portal.admission.tokens import MOST_USES
from portal.api.v1.core.request_body import WHOLE, AwareDateTime, RequestBody
from portal.people.models import EMAIL_LENGTH, NAME_LENGTH
from portal.permissions.permission import Permission
from portal.providers.fetch import LONGEST_ADDRESS
from portal.rooms.models import ROOM_NAME_LENGTH, SLUG_LENGTH, Role, RoomStatusWord
from portal.subscriptions.models import ServiceType
from portal.token_format import LONGEST_TEXT
from portal.webhooks.events import Event
from portal.webhooks.models import DESCRIPTION_LENGTH

RoomName = Annotated[str, Field(min_length=1, max_length=ROOM_NAME_LENGTH)]
Slug = Annotated[str, Field(max_length=SLUG_LENGTH)]
Label = Annotated[str, Field(max_length=LABEL_LENGTH)]
Person = Annotated[str, Field(max_length=NAME_LENGTH)]
Code = Annotated[str, Field(min_length=CODE_SHORTEST, max_length=CODE_LONGEST)]
Uses = Annotated[int, Field(ge=1, le=MOST_USES), WHOLE]
Email = Annotated[str, Field(max_length=EMAIL_LENGTH)]
Permissions = Annotated[list[Permission], Field(max_length=50)]
AnId = Annotated[str, Field(max_length=36, description="An id, uuid or ulid.")]
Features = Annotated[
    dict[str, Any],
    Field(description="Feature code → value; merged with what is stored; null follows the plan again."),
]
Settings = Annotated[
    dict[str, Any], Field(description="Setting → value; merged with what is stored; null removes a key.")
]
Metadata = Annotated[dict[str, Any], Field(description="Replaces the whole; at most one level deep, 16 KB.")]


class RoomChange(RequestBody):
    """The fields of a room that can be changed."""

    room_name: RoomName = ""
    slug: Slug = ""
    status: RoomStatusWord = RoomStatusWord.ACTIVE
    is_public: bool = False
    room_features: Features = Field(default_factory=dict)
    room_settings: Settings = Field(default_factory=dict)
    room_metadata: Metadata = Field(default_factory=dict)


class NewRoom(RoomChange):
    """A room of an account; customer and subscription follow from it."""

    room_name: RoomName
    account_id: AnId | None = None
    customer_id: AnId | None = None
    subscription_id: AnId | None = None
    room_type: Annotated[ServiceType, Field(description="Follows from the account; the same is accepted.")] = (
        ServiceType.MEET
    )


class TokenChange(RequestBody):
    """The fields of a link that can be changed."""

    role: Role = Role.GUEST
    expires_at: AwareDateTime | None = None
    label: Label = ""
    not_before: AwareDateTime | None = None
    max_uses: Uses | None = None
    person: Person = ""
    paused: bool = False


class NewToken(TokenChange):
    """A new link."""

    role: Role


class Rotation(RequestBody):
    """How long the old link goes on working beside the new one."""

    grace_minutes: Annotated[int, Field(ge=0, le=10_080), WHOLE] = 0


class CodeChange(RequestBody):
    """The fields of an access code that can be changed."""

    code: Code = ""
    role: Role = Role.GUEST
    expires_at: AwareDateTime | None = None
    label: Label = ""


class NewCode(CodeChange):
    """A new access code; generated when `code` is left out."""

    role: Role


class NewUser(RequestBody):
    """A user who becomes a member of the room, named by e-mail address or id."""

    email: Email | None = None
    user_id: AnId | None = None
    permissions: Permissions = Field(default_factory=list)
    until: AwareDateTime | None = None


class UserChange(RequestBody):
    """What a member of the room may do from now on."""

    permissions: Permissions = Field(default_factory=list)
    until: AwareDateTime | None = None


class JoinRequest(RequestBody):
    """By what right somebody comes, and under which name."""

    token: Annotated[str, Field(max_length=LONGEST_TEXT)] | None = None
    code: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(max_length=NAME_LENGTH)] = ""


class WebhookChange(RequestBody):
    """The fields of a webhook that can be changed."""

    url: Annotated[str, Field(max_length=LONGEST_ADDRESS)] = ""
    events: Annotated[list[Event], Field(max_length=50, default_factory=list)]
    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH)] = ""
    paused: bool = False


class NewWebhook(RequestBody):
    """A webhook of one room, or of all rooms of a customer."""

    url: Annotated[str, Field(max_length=LONGEST_ADDRESS)]
    events: Annotated[list[Event], Field(min_length=1, max_length=50)]
    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH)] = ""
    room_id: AnId | None = None
    customer_id: AnId | None = None
