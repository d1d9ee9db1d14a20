"""What a customer has several of: addresses, telephones, legal documents."""

from typing import Any

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0028"
down_revision = "0027"

WITH_DEFAULT = ("customer_addresses", "customer_telephones")
TABLES: dict[str, tuple[tuple[str, ...], list[tuple[str, sa.types.TypeEngine[Any], bool]]]] = {
    "customer_addresses": (
        ("PostalAddress", "BillingAddress"),
        [
            ("is_default", sa.Boolean(), False),
            ("country", sa.String(2), False),
            ("state", sa.String(100), True),
            ("postal_code", sa.String(20), True),
            ("city", sa.String(100), False),
            ("address_line1", sa.String(250), True),
            ("address_line2", sa.String(250), True),
            ("po_box", sa.String(20), True),
            ("building_number", sa.String(20), True),
            ("complement", sa.String(250), True),
        ],
    ),
    "customer_telephones": (
        ("landline", "mobile"),
        [
            ("is_default", sa.Boolean(), False),
            ("number", sa.String(20), False),
            ("telephone_extension", sa.String(10), True),
        ],
    ),
    "customer_legal_documents": (
        ("eu_vat", "br_cpf", "br_cnpj", "other"),
        [("country", sa.String(2), False), ("value", sa.String(50), False), ("issued_at", sa.Date(), True)],
    ),
}
"""Table → its kinds, and its columns with their types and whether they are nullable."""


def upgrade() -> None:
    for table, (kinds, columns) in TABLES.items():
        op.create_table(
            table,
            sa.Column("uuid", sa.Uuid(), nullable=False),
            sa.Column("id", sa.String(10), nullable=False),
            sa.Column("customer_uuid", sa.Uuid(), nullable=False),
            sa.Column("kind", sa.Enum(*kinds, native_enum=False, length=32), nullable=False),
            *(sa.Column(name, kind, nullable=nullable) for name, kind, nullable in columns),
            sa.Column("created_at", portal.db.UTCDateTime(), nullable=False),
            sa.Column("updated_at", portal.db.UTCDateTime(), nullable=False),
            sa.ForeignKeyConstraint(
                ["customer_uuid"], ["customers.uuid"], op.f(f"fk_{table}_customer_uuid"), ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("uuid", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint("id", name=op.f(f"uq_{table}_id")),
        )
        op.create_index(f"ix_{table}_customer_uuid", table, ["customer_uuid"])
    for table in WITH_DEFAULT:
        there = sa.text("is_default")
        op.create_index(
            f"uq_{table}_default",
            table,
            ["customer_uuid", "kind"],
            unique=True,
            sqlite_where=there,
            postgresql_where=there,
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
