"""Lines of the audit keep the customer to whom the thing belonged; older ones get the one that is still known.

The lists of a customer's lines and of a room's are read in their order by an index. Nothing finds lines by on whose
behalf somebody acted any more: that customer's lines are found by the new column.

On PostgreSQL it takes about half a minute for a million lines, and nobody can do anything meanwhile that is noted.

Revision ID: 0042
Revises: 0041
"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

TABLE = "audit_events"
FEW = "thing <> 'participations' AND thing <> 'room_tokens'"
INDEXES = {  # name → columns, condition
    "ix_audit_events_customer_uuid_at_uuid": (["customer_uuid", "at", "uuid"], "customer_uuid IS NOT NULL"),
    "ix_audit_events_room_uuid_at_uuid": (["room_uuid", "at", "uuid"], "room_uuid IS NOT NULL"),
    "ix_audit_events_few_customer_uuid_at_uuid": (
        ["customer_uuid", "at", "uuid"], f"customer_uuid IS NOT NULL AND {FEW}",
    ),
}  # fmt: skip
BEHALF = "ix_audit_events_on_behalf_of_uuid_at_uuid"
OF_A_CUSTOMER = ("accounts", "customer_members", "rooms", "subscriptions", "webhook_endpoints")

LINES = sa.table(
    TABLE,
    *(sa.column(f"{name}_uuid", sa.Uuid()) for name in ("thing", "room", "customer", "on_behalf_of")),
    sa.column("thing"),
)


def _found(table: str, key: sa.ColumnElement[object]) -> sa.ScalarSelect[object]:
    """The customer of the row with this primary key."""
    rows = sa.table(table, sa.column("uuid", sa.Uuid()), sa.column("customer_uuid", sa.Uuid()))
    return sa.select(rows.c.customer_uuid).where(rows.c.uuid == key).scalar_subquery()


def _found_above(table: str, above: str, column: str) -> sa.ScalarSelect[object]:
    """The customer of that row of `above` to which the row of `table` belongs that the line is about."""
    rows = sa.table(table, *(sa.column(name, sa.Uuid()) for name in ("uuid", column)))
    owners = sa.table(above, *(sa.column(name, sa.Uuid()) for name in ("uuid", "customer_uuid")))
    joined = sa.select(owners.c.customer_uuid).join(rows, rows.c[column] == owners.c.uuid)
    return joined.where(rows.c.uuid == LINES.c.thing_uuid).scalar_subquery()


def _fill() -> None:
    """Read each line once. What is gone is found by on whose behalf staff acted, if they did."""
    known: dict[str, object] = {table: _found(table, LINES.c.thing_uuid) for table in OF_A_CUSTOMER}
    known |= {
        "account_members": _found_above("account_members", "accounts", "account_uuid"),
        "webhook_deliveries": _found_above("webhook_deliveries", "webhook_endpoints", "endpoint_uuid"),
        "customers": LINES.c.thing_uuid,
    }
    by_thing = sa.case(*((LINES.c.thing == table, value) for table, value in known.items()))
    of_room = _found("rooms", LINES.c.room_uuid)
    may_have_one = sa.or_(
        LINES.c.thing.in_(list(known)), LINES.c.room_uuid.is_not(None), LINES.c.on_behalf_of_uuid.is_not(None)
    )
    values = sa.func.coalesce(by_thing, LINES.c.on_behalf_of_uuid, of_room)
    op.execute(sa.update(LINES).where(may_have_one).values(customer_uuid=values))


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("customer_uuid", sa.Uuid(), nullable=True))
    op.drop_index("ix_audit_events_room_uuid", TABLE)
    op.drop_index(BEHALF, TABLE)
    _fill()
    for name, (columns, condition) in INDEXES.items():
        where = sa.text(condition)
        op.create_index(name, TABLE, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, TABLE)
    there = sa.text("on_behalf_of_uuid IS NOT NULL")
    columns = ["on_behalf_of_uuid", "at", "uuid"]
    op.create_index(BEHALF, TABLE, columns, sqlite_where=there, postgresql_where=there)
    op.create_index("ix_audit_events_room_uuid", TABLE, ["room_uuid"])
    op.drop_column(TABLE, "customer_uuid")
