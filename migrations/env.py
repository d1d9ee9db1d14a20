"""How Alembic reaches the portal's database: through the app that `portal migrate` made."""

from alembic import context
from flask import current_app

from portal.db import UTCDateTime

migrate = current_app.extensions["migrate"]
engine = migrate.db.engine


_BY_HAND = (
    "room_names",
    "room_numbers",
    "ix_rooms_name_words",
    "ix_rooms_status",
    "customer_names",
    "customer_numbers",
    "ix_customers_name_words",
    "subscription_names",
    "subscription_numbers",
    "ix_subscriptions_name_words",
    "ix_subscriptions_expected_end",
)
"""What migrations make that no model declares, by how its name begins."""


def _render_type(kind: str, thing: object, autogen: object) -> str | bool:
    return "portal.db.UTCDateTime()" if kind == "type" and isinstance(thing, UTCDateTime) else False


def _is_compared(thing: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
    """What only one of the databases has stands in its migration, and in no model: such as how names are found."""
    return not (name or "").startswith(_BY_HAND)


with engine.connect() as connection:
    arguments = dict(migrate.configure_args)
    arguments.setdefault("render_item", _render_type)
    arguments.setdefault("include_object", _is_compared)
    if engine.dialect.name == "sqlite":  # tables are rebuilt to change them; references must survive that
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
    context.configure(connection=connection, target_metadata=migrate.db.metadata, **arguments)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    if engine.dialect.name == "sqlite":
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")
