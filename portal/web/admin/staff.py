"""The pages of staff: the people who hold platform roles."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.column_types import json_rows
from portal.db import session
from portal.edge.i18n import gettext as _
from portal.edge.staff_guard import staff
from portal.errors import Message
from portal.keyset import Key
from portal.people.models import ROLE_TITLE, PlatformRole, SignIn, User, user_platform_roles
from portal.people.staff import StaffPermission
from portal.plain_values import columns_for
from portal.resources.columns import words_begin
from portal.web.admin.list_page import csv_answer, list_answer
from portal.web.admin.lists import AdminList, FilterChoice, ListColumn, ListFilter

bp = Blueprint("admin_staff", __name__, url_prefix="/admin/staff")


@dataclass(frozen=True)
class StaffRow:
    """A person with platform roles, as the list shows him."""

    id: str
    name: str
    email: str
    deactivated_at: datetime | None
    roles: list[list[str]] | None
    """The title of each role, in a list of its own."""
    seen_at: datetime | None
    created_at: datetime

    @property
    def role_names(self) -> list[str]:
        """The titles of the roles, in order."""
        return sorted(name for (name,) in self.roles or ())

    @property
    def status_word(self) -> str:
        """Whether the person can sign in, in the reader's language."""
        return _("Active") if self.deactivated_at is None else _("Inactive")


_HELD = user_platform_roles.c
_ROLES = (
    sa.select(json_rows(ROLE_TITLE))
    .join(user_platform_roles, _HELD.platform_role_uuid == PlatformRole.uuid)
    .where(_HELD.user_uuid == User.uuid)
    .scalar_subquery()
)
_SEEN = sa.select(sa.func.max(SignIn.seen_at)).where(SignIn.user_uuid == User.uuid).scalar_subquery()


def _role_choices() -> list[FilterChoice]:
    roles = session.execute(sa.select(PlatformRole.id, ROLE_TITLE).order_by(ROLE_TITLE))
    return [FilterChoice(id, name, lambda id=id: _holds(PlatformRole.id == id)) for id, name in roles]  # type: ignore[misc]


def _holds(role: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    held = sa.exists().where(_HELD.user_uuid == User.uuid, _HELD.platform_role_uuid == PlatformRole.uuid)
    return held.where(role)


STAFF = AdminList(
    name="staff",
    rows=sa.select(*columns_for(StaffRow, User, roles=_ROLES, seen_at=_SEEN)).where(_holds(sa.true())),
    row=StaffRow,
    uuid=User.uuid,
    columns=(
        ListColumn("name", Message("Name"), lambda row: row.name, Key(sa.func.lower(User.name))),
        ListColumn("email", Message("E-mail"), lambda row: row.email, Key(User.email), wide=True),
        ListColumn("roles", Message("Roles"), lambda row: ", ".join(row.role_names), wide=True),
        ListColumn("status", Message("Status"), lambda row: row.status_word),
        ListColumn("seen", Message("Last here"), lambda row: row.seen_at, kind="moment"),
        ListColumn("since", Message("User since"), lambda row: row.created_at, Key(User.created_at), kind="moment"),
    ),
    search=lambda text: sa.or_(words_begin(User.name, text), words_begin(User.email, text)),
    filters=(
        ListFilter("role", Message("Role"), Message("Any role"), _role_choices),
        ListFilter(
            "status",
            Message("Status"),
            Message("Any status"),
            lambda: (
                FilterChoice("active", Message("Active"), lambda: User.deactivated_at.is_(None)),
                FilterChoice("inactive", Message("Inactive"), lambda: User.deactivated_at.is_not(None)),
            ),
        ),
    ),
)


@bp.get("")
@staff(StaffPermission.USERS_READ)
def index() -> ResponseReturnValue:
    """Show the people who hold platform roles."""
    return list_answer(STAFF, "admin/staff/index.html", "admin/staff/_list.html")


@bp.get("/export.csv")
@staff(StaffPermission.USERS_READ)
def download() -> ResponseReturnValue:
    """Download them as a CSV file."""
    return csv_answer(STAFF)
