"""Reading who took part in a run of a room, and by which link or as which member."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.admission.models import AccessCode, RoomToken
from portal.db import session
from portal.people.models import User
from portal.rooms.models import Role
from portal.rooms.protocols import RoomLike
from portal.status.models import Ending, Participation, RoomSession


@dataclass(frozen=True)
class ParticipationDetails:
    """One participation with the names of its link or member. `left_at` and `ending` are None while it is open.

    `link` and `link_id` are the label and id of the link (None for members, and once an automatic link was deleted);
    `member` is the name of the member (None for others).
    """

    id: str
    name: str
    role: Role
    link: str | None
    link_id: str | None
    automatic: bool
    member: str | None
    entered_at: datetime
    left_at: datetime | None
    ending: Ending | None


def participations_of(run: RoomSession, *, limit: int | None = None) -> list[ParticipationDetails]:
    """The participations of a run, in the order of entering. Coming back after leaving makes another one."""
    query = (
        sa.select(
            Participation.id,
            Participation.name,
            Participation.role,
            RoomToken.label,
            RoomToken.id,
            sa.func.coalesce(RoomToken.automatic, sa.false()),
            User.name,
            Participation.entered_at,
            Participation.left_at,
            Participation.ending,
        )
        .outerjoin(RoomToken, RoomToken.uuid == Participation.token_uuid)
        .outerjoin(User, User.uuid == Participation.user_uuid)
        .where(Participation.session_uuid == run.uuid)
        .order_by(Participation.entered_at, Participation.uuid)
    )
    rows: Sequence[Any] = session.execute(query.limit(limit)).all()
    return [ParticipationDetails(*row) for row in rows]


def find_participation(room: RoomLike, device: str, participation_id: str) -> Participation | None:
    """This device's participation with this id in the room, open or not, with its run; None if there is none."""
    return session.scalar(
        sa.select(Participation)
        .options(joinedload(Participation.run))
        .where(
            Participation.room_uuid == room.uuid,
            Participation.device == device,
            Participation.id == participation_id,
        )
    )


def came_with_valid_code(participation: Participation, role: Role, at: datetime) -> bool:
    """Whether the access code by which somebody came in is one of this role's still, and valid.

    The participation of a code that was changed or deleted has none.
    """
    code = session.get(AccessCode, participation.access_code_uuid) if participation.access_code_uuid else None
    return code is not None and code.role is role and not code.expired(at)


def count_participations(run: RoomSession) -> int:
    """The number of participations in a run."""
    count = sa.select(sa.func.count()).select_from(Participation).where(Participation.session_uuid == run.uuid)
    return session.scalar(count) or 0


def participation_details(participation: Participation) -> ParticipationDetails:
    """One participation, with the names of its link or member."""
    token = session.get(RoomToken, participation.token_uuid) if participation.token_uuid else None
    user = session.get(User, participation.user_uuid) if participation.user_uuid else None
    return ParticipationDetails(
        id=participation.id,
        name=participation.name,
        role=participation.role,
        link=token.label if token else None,
        link_id=token.id if token else None,
        automatic=token.automatic if token else False,
        member=user.name if user else None,
        entered_at=participation.entered_at,
        left_at=participation.left_at,
        ending=participation.ending,
    )
