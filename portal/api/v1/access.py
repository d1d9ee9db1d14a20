"""The access check and joining: whether somebody may enter a room, explained check by check or acted upon."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint, Response, request
from pydantic import Field

from portal.admission.case import Case, Check, Enter, Reason, Refuse, Wait
from portal.admission.decision import Decision, decide
from portal.admission.door import DoorRoom
from portal.admission.entering import preview
from portal.admission.join_tickets import OPENING_TIME, issue_join_ticket
from portal.admission.queries import find_token
from portal.admission.visitor import Visitor
from portal.api.v1.core import query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import Listing
from portal.api.v1.core.request_body import RequestBody
from portal.clock import now
from portal.edge import actor, bearer
from portal.edge.guard import bearer_at_door, requires
from portal.edge.network import network
from portal.errors import NotFound
from portal.moments import iso_datetime
from portal.people.models import NAME_LENGTH
from portal.permissions.permission import Permission
from portal.permissions.rules import acting_on, knows_the_plan, member_role, permission_of
from portal.resources.declaring import Resource, ResponseModel, fields_of
from portal.resources.urls import join_ticket_url
from portal.rooms.models import Role, Room
from portal.scopes import Scope
from portal.token_format import LONGEST_TEXT

bp = Blueprint("access", __name__, url_prefix="/rooms/<anyid:room_id>")

TAG = "Access"


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


CHECK = Listing(
    columns={},
    tie=None,
    fields=frozenset(fields_of(DecisionSchema)),
    extra={"token": {"type": "string", "maxLength": LONGEST_TEXT, "description": "The text of the link to test."}},
)
JOIN = Listing(columns={}, tie=None, fields=frozenset(fields_of(JoinTicketSchema)))


class JoinRequest(RequestBody):
    """By what right somebody comes, and under which name."""

    token: Annotated[str, Field(max_length=LONGEST_TEXT)] | None = None
    code: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(max_length=NAME_LENGTH)] = ""


def serialized(decision: Decision, *, with_plan: bool) -> dict[str, Any]:
    """A decision as JSON, with its checks. `with_plan`: also those that tell what is wrong with the plan."""
    result = decision.result
    checks = decision.checks if with_plan else decision.without_the_plan()
    return {
        "object": "AccessDecision",
        "result": {Enter: "enter", Wait: "wait", Refuse: "refuse"}[type(result)],
        "role": result.role.value if isinstance(result, Enter) else None,
        "wait_for": result.wait_for if isinstance(result, Wait) else None,
        "until": iso_datetime(result.until) if isinstance(result, Wait) else None,
        "reason": result.reason.value if isinstance(result, Refuse) else None,
        "checks": [{"check": line.check.value, "outcome": line.outcome, "words": str(line.words)} for line in checks],
    }


@bp.get("/access-check")
@endpoint(TAG, scope=Scope.ACCESS_READ, returns=DecisionSchema, listing=CHECK)
@requires(Permission.TOKENS_VIEW)
def check(room: Room) -> Response:
    """Say what would happen to whoever came with `token` (or without one), check by check. Nothing is used up."""
    selection, with_plan = query_params.field_selection(CHECK), knows_the_plan(actor.someone(), room)
    text = request.args.get("token")
    if text is None:
        return responses.single(serialized(preview(room, Visitor()), with_plan=with_plan), selection)
    token = find_token(room, text)
    if token is None:
        return responses.single(serialized(_unknown(), with_plan=with_plan), selection)
    return responses.single(serialized(preview(room, Visitor(token=token)), with_plan=with_plan), selection)


def _unknown() -> Decision:
    return decide(Case(at=now(), token_given=True))


@bp.post("/join")
@endpoint(TAG, scope=Scope.ROOMS_READ, returns=JoinTicketSchema, listing=JOIN, refusals=(409, 429))
@takes(JoinRequest, by_link={"token": "rt_…", "name": "Jun Tanaka", "code": "ABCD-EFGH"}, as_member={})
@bearer_at_door  # after the body: this door lets strangers in, who must not learn from its refusals that a room exists
def join(room: Room | DoorRoom, seen: Room | None, body: JoinRequest) -> Response:
    """Decide about somebody, and if he may enter, answer an address that opens the room once within a minute.

    With a token: as whoever holds that link. Without one: as the caller, or as a guest of a public room.
    """
    selection, somebody = query_params.field_selection(JOIN), actor.someone()
    token = find_token(room, body.token) if body.token is not None else None
    role = member_role(somebody, seen) if token is None and seen is not None else None
    if token is None and (body.token is not None or (role is None and not room.is_public)):
        raise NotFound  # to strangers, no token, an unknown one and a missing room are the same
    visitor = Visitor(token=token)
    if seen is not None and role is not None:
        visitor = Visitor(member=acting_on(somebody, permission_of(role), seen), member_role=role)
    decision, secret = issue_join_ticket(
        room=room,
        visitor=visitor,
        name=body.name,
        code=body.code,
        network=network(),
        access_token_uuid=bearer.token().uuid,
    )
    return responses.single(
        {
            **serialized(decision, with_plan=seen is not None and knows_the_plan(somebody, seen)),
            "entry_url": join_ticket_url(room, secret) if secret else None,
            "expires_at": iso_datetime(now() + OPENING_TIME) if secret else None,
        },
        selection,
    )
