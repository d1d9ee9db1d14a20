"""Packages, the terms of subscriptions, what a service's health is, and more about customers, accounts and roles.

Each subscription was sold without a package: subscriptions of one name, type and provider become those of one package,
with the features of the oldest of them. What a subscription grants does not change. An embedded service that needs no
properties gets its row here, so that an empty portal can sell packages at once.

Revision ID: 0024
Revises: 0023
"""

from datetime import UTC, datetime
from secrets import choice
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from ulid import ULID

import portal.db

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TAG_LENGTH = 8
COUNTRY, CURRENCY = "US", "USD"
PERIOD = sa.Enum("day", "week", "month", "year", native_enum=False, length=32)
SERVICE_TYPE = sa.Enum("video", "live", "meet", "simulcast", native_enum=False, length=32)


def _identified() -> list[sa.Column[Any]]:
    return [
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(length=10), nullable=False),
        sa.Column("created_at", portal.db.UTCDateTime(), nullable=False),
        sa.Column("updated_at", portal.db.UTCDateTime(), nullable=False),
    ]


def _keys(table: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("uuid", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("id", name=op.f(f"uq_{table}_id")),
    ]


def _terms() -> list[sa.Column[Any]]:
    return [
        sa.Column("tier", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("price", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("currency", sa.String(length=3), nullable=False, server_default=CURRENCY),
        sa.Column("periodicity", sa.Integer(), nullable=True),
        sa.Column("periodicity_type", PERIOD, nullable=True),
        sa.Column("trial_period", sa.Integer(), nullable=True),
        sa.Column("trial_interval", PERIOD, nullable=True),
        sa.Column("grace_period", sa.Integer(), nullable=True),
        sa.Column("grace_interval", PERIOD, nullable=True),
    ]


def _added() -> dict[str, tuple[sa.Column[Any], ...]]:
    """Table → the columns that need nothing of its rows. The defaults fill the rows that there are, and then go."""
    return {
        "platform_roles": (
            sa.Column("display_name", sa.String(length=80), nullable=False, server_default=""),
            sa.Column("description", sa.String(length=250), nullable=False, server_default=""),
        ),
        "service_providers": (
            sa.Column("service_type", SERVICE_TYPE, nullable=False, server_default="meet"),
            sa.Column("draining", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("provider_metadata", sa.JSON(), nullable=False, server_default="{}"),
            sa.Column("last_answer_at", portal.db.UTCDateTime(), nullable=True),
            sa.Column("last_error", sa.String(length=500), nullable=True),
            sa.Column("last_error_at", portal.db.UTCDateTime(), nullable=True),
            sa.Column("down_since", portal.db.UTCDateTime(), nullable=True),
        ),
        "customers": (
            sa.Column("country", sa.String(length=2), nullable=False, server_default=COUNTRY),
            sa.Column("currency", sa.String(length=3), nullable=False, server_default=CURRENCY),
            sa.Column("timezone", sa.String(length=64), nullable=True),
            sa.Column("external_id", sa.String(length=250), nullable=True),
            sa.Column("customer_prefix", sa.String(length=10), nullable=True),
            sa.Column("hostname", sa.String(length=253), nullable=True),
            sa.Column("subdomain", sa.String(length=63), nullable=True),
            sa.Column("allowed_domains_origins", sa.JSON(), nullable=False, server_default="[]"),
            sa.Column("allowed_domains_registration", sa.JSON(), nullable=False, server_default="[]"),
            sa.Column("customer_settings", sa.JSON(), nullable=False, server_default="{}"),
            sa.Column("customer_metadata", sa.JSON(), nullable=False, server_default="{}"),
        ),
        "accounts": (sa.Column("account_metadata", sa.JSON(), nullable=False, server_default="{}"),),
        "subscriptions": (
            *_terms(),
            sa.Column("trial_ends_at", portal.db.UTCDateTime(), nullable=True),
            sa.Column("canceled_at", portal.db.UTCDateTime(), nullable=True),
            sa.Column("subscription_metadata", sa.JSON(), nullable=False, server_default="{}"),
        ),
    }


UNIQUE = {
    "customers": ("customer_key", "hostname", "subdomain"),
    "accounts": ("account_key",),
    "subscriptions": ("tag",),
}


def new_uuid() -> UUID:
    return ULID().to_uuid7(compliant=True)


def new_id() -> str:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    return "".join(choice(alphabet) for _ in range(10))


def upgrade() -> None:
    _create_packages()
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    op.add_column("customers", sa.Column("customer_key", sa.String(length=10), nullable=True))
    op.add_column("accounts", sa.Column("account_key", sa.String(length=10), nullable=True))
    op.add_column("subscriptions", sa.Column("tag", sa.String(length=TAG_LENGTH), nullable=True))
    op.add_column("subscriptions", sa.Column("package_uuid", sa.Uuid(), nullable=True))
    _fill("customers", "customer_key")
    _fill("accounts", "account_key")
    _fill("subscriptions", "tag", TAG_LENGTH)
    _name_roles()
    _add_embedded_provider()
    _package_subscriptions()
    for table, columns in _added().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                if column.server_default is not None:
                    batch.alter_column(column.name, existing_type=column.type, server_default=None)
            if table == "subscriptions":
                batch.alter_column("package_uuid", existing_type=sa.Uuid(), nullable=False)
                batch.create_foreign_key(
                    op.f("fk_subscriptions_package_uuid"), "service_packages", ["package_uuid"], ["uuid"]
                )
                batch.create_index("ix_subscriptions_package_uuid", ["package_uuid"])
                batch.create_index("ix_subscriptions_provider_uuid", ["provider_uuid"])
                batch.create_index("ix_subscriptions_ends_at", ["ends_at"])
            if table == "customers":
                batch.create_index("ix_customers_external_id", ["external_id"])
            for name in UNIQUE.get(table, ()):
                if name in {"customer_key", "account_key", "tag"}:
                    length = TAG_LENGTH if name == "tag" else 10
                    batch.alter_column(name, existing_type=sa.String(length=length), nullable=False)
                batch.create_unique_constraint(op.f(f"uq_{table}_{name}"), [name])


def downgrade() -> None:
    with op.batch_alter_table("subscriptions") as batch:
        batch.drop_index("ix_subscriptions_ends_at")
        batch.drop_index("ix_subscriptions_provider_uuid")
        batch.drop_index("ix_subscriptions_package_uuid")
        batch.drop_constraint(op.f("fk_subscriptions_package_uuid"), type_="foreignkey")
        batch.drop_column("package_uuid")
    with op.batch_alter_table("customers") as batch:
        batch.drop_index("ix_customers_external_id")
    for table, columns in _added().items():
        with op.batch_alter_table(table) as batch:
            for name in UNIQUE.get(table, ()):
                batch.drop_constraint(op.f(f"uq_{table}_{name}"), type_="unique")
            if table in UNIQUE:
                batch.drop_column(UNIQUE[table][0])
            for column in columns:
                batch.drop_column(column.name)
    for table in ("subscription_providers", "package_providers", "package_features", "service_packages"):
        op.drop_table(table)


def _create_packages() -> None:
    op.create_table(
        "service_packages",
        *_identified(),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("short_description", sa.String(length=250), nullable=False),
        sa.Column("description", sa.String(length=5000), nullable=False),
        sa.Column("service_type", SERVICE_TYPE, nullable=False),
        sa.Column("status", sa.Enum("active", "inactive", native_enum=False, length=32), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("signup_fee", sa.BigInteger(), nullable=False),
        sa.Column("has_stock", sa.Boolean(), nullable=False),
        sa.Column("stock_qty", sa.Integer(), nullable=False),
        sa.Column("package_metadata", sa.JSON(), nullable=False),
        *(sa.Column(one.name, one.type, nullable=one.nullable) for one in _terms()),
        *_keys("service_packages"),
    )
    op.create_index(op.f("ix_service_packages_name_uuid"), "service_packages", ["name", "uuid"])
    op.create_table(
        "package_features",
        sa.Column("package_uuid", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("switch", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["package_uuid"], ["service_packages.uuid"], name=op.f("fk_package_features_package_uuid"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("package_uuid", "code", name=op.f("pk_package_features")),
    )  # fmt: skip
    op.create_table(
        "package_providers",
        *_identified(),
        sa.Column("package_uuid", sa.Uuid(), nullable=False),
        sa.Column("provider_uuid", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("provider_settings", sa.JSON(), nullable=False),
        sa.Column("provider_metadata", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["package_uuid"], ["service_packages.uuid"], name=op.f("fk_package_providers_package_uuid"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["provider_uuid"], ["service_providers.uuid"], name=op.f("fk_package_providers_provider_uuid")
        ),
        sa.UniqueConstraint(
            "package_uuid", "provider_uuid", name=op.f("uq_package_providers_package_uuid_provider_uuid")
        ),
        *_keys("package_providers"),
    )  # fmt: skip
    op.create_index(op.f("ix_package_providers_provider_uuid"), "package_providers", ["provider_uuid"])
    op.create_index(
        "uq_package_providers_default", "package_providers", ["package_uuid"], unique=True,
        sqlite_where=sa.text("is_default"), postgresql_where=sa.text("is_default"),
    )  # fmt: skip
    op.create_table(
        "subscription_providers",
        *_identified(),
        sa.Column("subscription_uuid", sa.Uuid(), nullable=False),
        sa.Column("package_provider_uuid", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("provider_metadata", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_uuid"], ["subscriptions.uuid"], name=op.f("fk_subscription_providers_subscription_uuid"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["package_provider_uuid"], ["package_providers.uuid"],
            name=op.f("fk_subscription_providers_package_provider_uuid"),
        ),
        sa.UniqueConstraint(
            "subscription_uuid", "package_provider_uuid",
            name=op.f("uq_subscription_providers_subscription_uuid_package_provider_uuid"),
        ),
        *_keys("subscription_providers"),
    )  # fmt: skip
    op.create_index(
        op.f("ix_subscription_providers_package_provider_uuid"), "subscription_providers", ["package_provider_uuid"]
    )


def _table(name: str, *columns: str, uuids: tuple[str, ...] = ("uuid",), times: tuple[str, ...] = ()) -> sa.TableClause:
    return sa.table(
        name,
        *(sa.column(one) for one in columns),
        *(sa.column(one, sa.Uuid()) for one in uuids),
        *(sa.column(one, portal.db.UTCDateTime()) for one in times),
    )


def _identity() -> dict[str, Any]:
    at = datetime.now(UTC)
    return {"uuid": new_uuid(), "id": new_id(), "created_at": at, "updated_at": at}


IDENTIFIED = {"times": ("created_at", "updated_at")}


def _fill(table: str, column: str, length: int = 10) -> None:
    rows = _table(table, column)
    for uuid in op.get_bind().scalars(sa.select(rows.c.uuid)).all():
        op.execute(rows.update().where(rows.c.uuid == uuid).values({column: new_id()[:length]}))


def _name_roles() -> None:
    roles = _table("platform_roles", "name", "display_name", "description", "builtin")
    words = {"display_name": "Administrator", "description": "Holds every permission, also future ones."}
    op.execute(roles.update().where(roles.c.name == "admin").values(**words))


def _add_embedded_provider() -> None:
    columns = ("id", "provider_name", "provider_type", "service_type", "active", "draining")
    providers = sa.table(
        "service_providers",
        *(sa.column(one) for one in columns),
        sa.column("uuid", sa.Uuid()),
        *(sa.column(one, sa.JSON()) for one in ("properties", "provider_metadata")),
        *(sa.column(one, portal.db.UTCDateTime()) for one in IDENTIFIED["times"]),
    )
    if op.get_bind().scalar(sa.select(providers.c.uuid).where(providers.c.provider_type == "mesh").limit(1)) is None:
        op.execute(
            providers.insert().values(
                **_identity(), provider_name="Built in", provider_type="mesh", service_type="meet",
                active=True, draining=False, properties={}, provider_metadata={},
            )
        )  # fmt: skip


def _package_subscriptions() -> None:
    bind = op.get_bind()
    sold = _table(
        "subscriptions", "name", "service_type", uuids=("uuid", "package_uuid", "provider_uuid"),
    )  # fmt: skip
    has = _table("subscription_features", "code", "number", "switch", uuids=("subscription_uuid",))
    packages = _table(
        "service_packages", "id", "name", "short_description", "description", "service_type", "status", "hidden",
        "signup_fee", "has_stock", "stock_qty", "tier", "price", "currency", **IDENTIFIED,
    )  # fmt: skip
    packages.append_column(sa.column("package_metadata", sa.JSON()))
    grants = _table("package_features", "code", "number", "switch", uuids=("package_uuid",))
    offered = _table(
        "package_providers", "id", "active", "is_default",
        uuids=("uuid", "package_uuid", "provider_uuid"), **IDENTIFIED,
    )  # fmt: skip
    used = _table(
        "subscription_providers", "id", "active",
        uuids=("uuid", "subscription_uuid", "package_provider_uuid"), **IDENTIFIED,
    )  # fmt: skip
    for table, names in ((offered, ("provider_settings", "provider_metadata")), (used, ("provider_metadata",))):
        for name in names:
            table.append_column(sa.column(name, sa.JSON()))
    made: dict[tuple[Any, ...], tuple[Any, Any]] = {}
    columns = (sold.c.uuid, sold.c.name, sold.c.service_type, sold.c.provider_uuid)
    for row in bind.execute(sa.select(*columns).order_by(sold.c.uuid)).all():
        kind = (row.name, row.service_type, row.provider_uuid)
        if kind not in made:
            package, provider = _identity(), _identity()
            made[kind] = package["uuid"], provider["uuid"]
            op.execute(
                packages.insert().values(
                    **package, name=row.name, short_description="", description="", service_type=row.service_type,
                    status="active", hidden=False, signup_fee=0, has_stock=False, stock_qty=0, tier=0, price=0,
                    currency=CURRENCY, package_metadata={},
                )
            )  # fmt: skip
            features = sa.select(has.c.code, has.c.number, has.c.switch).where(has.c.subscription_uuid == row.uuid)
            for code, number, switch in bind.execute(features).all():
                op.execute(
                    grants.insert().values(package_uuid=package["uuid"], code=code, number=number, switch=switch)
                )
            op.execute(
                offered.insert().values(
                    **provider, package_uuid=package["uuid"], provider_uuid=row.provider_uuid, active=True,
                    is_default=True, provider_settings={}, provider_metadata={},
                )
            )  # fmt: skip
        package_uuid, provider_uuid = made[kind]
        op.execute(sold.update().where(sold.c.uuid == row.uuid).values(package_uuid=package_uuid))
        op.execute(
            used.insert().values(
                **_identity(), subscription_uuid=row.uuid, package_provider_uuid=provider_uuid, active=True,
                provider_metadata={},
            )
        )  # fmt: skip
