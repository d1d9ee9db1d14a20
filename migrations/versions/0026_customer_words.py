"""The words by which customers are found, with an index over them, and an index for each order of their list.

SQLite: `customer_names` is a full-text table kept by triggers on `customers`, as `room_names` is on `rooms`. A later
migration that rebuilds `customers` (batch mode copies the table) loses the triggers and has to make them again;
tests/customers/test_search.py notices.

Revision ID: 0026
Revises: 0025
"""

import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

SORT_NAME_LENGTH = 800
CHUNK = 1_000
ORDERS = (("sort_name", "uuid"), ("created_at", "uuid"), ("status", "sort_name", "uuid"))
COLUMNS = ("company_name", "first_name", "last_name", "email", "external_id", "customer_key")

ON_SQLITE = (
    "CREATE TABLE customer_numbers (number INTEGER PRIMARY KEY, customer_uuid CHAR(32) NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE customer_names USING fts5(words, tokenize = 'ascii', prefix = '2 3')",
    "INSERT INTO customer_numbers (customer_uuid) SELECT uuid FROM customers",
    """
    INSERT INTO customer_names (rowid, words)
    SELECT number, name_words FROM customers JOIN customer_numbers ON customer_uuid = uuid
    """,
    """
    CREATE TRIGGER customer_named AFTER INSERT ON customers BEGIN
        INSERT INTO customer_numbers (customer_uuid) VALUES (new.uuid);
        INSERT INTO customer_names (rowid, words)
        SELECT number, new.name_words FROM customer_numbers WHERE customer_uuid = new.uuid;
    END
    """,
    """
    CREATE TRIGGER customer_renamed AFTER UPDATE OF name_words ON customers WHEN old.name_words <> new.name_words BEGIN
        UPDATE customer_names SET words = new.name_words
        WHERE rowid = (SELECT number FROM customer_numbers WHERE customer_uuid = new.uuid);
    END
    """,
    """
    CREATE TRIGGER customer_gone AFTER DELETE ON customers BEGIN
        DELETE FROM customer_names
        WHERE rowid = (SELECT number FROM customer_numbers WHERE customer_uuid = old.uuid);
        DELETE FROM customer_numbers WHERE customer_uuid = old.uuid;
    END
    """,
)
ON_POSTGRESQL = (
    """
    CREATE INDEX ix_customers_name_words ON customers USING gin (array_to_tsvector(string_to_array(name_words, ' ')))
    """,
)


def upgrade() -> None:
    op.add_column("customers", sa.Column("sort_name", sa.String(SORT_NAME_LENGTH), nullable=True))
    op.add_column("customers", sa.Column("name_words", sa.Text(), nullable=True))
    _fill()
    with op.batch_alter_table("customers") as customers:
        customers.alter_column("sort_name", existing_type=sa.String(SORT_NAME_LENGTH), nullable=False)
        customers.alter_column("name_words", existing_type=sa.Text(), nullable=False)
        for order in ORDERS:
            customers.create_index(f"ix_customers_{'_'.join(order)}", list(order))
    for statement in ON_SQLITE if op.get_bind().dialect.name == "sqlite" else ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for trigger in ("customer_named", "customer_renamed", "customer_gone"):
            op.execute(f"DROP TRIGGER {trigger}")
        op.execute("DROP TABLE customer_names")
        op.execute("DROP TABLE customer_numbers")
    else:
        op.execute("DROP INDEX ix_customers_name_words")
    with op.batch_alter_table("customers") as customers:
        for order in ORDERS:
            customers.drop_index(f"ix_customers_{'_'.join(order)}")
        customers.drop_column("sort_name")
        customers.drop_column("name_words")


def _fill() -> None:
    connection = op.get_bind()
    customers = sa.table(
        "customers",
        sa.column("uuid", sa.Uuid()),
        sa.column("sort_name", sa.String()),
        sa.column("name_words", sa.Text()),
        *(sa.column(name, sa.String()) for name in COLUMNS),
    )
    texts = [customers.c[name] for name in COLUMNS]
    change = (
        sa.update(customers)
        .where(customers.c.uuid == sa.bindparam("own_uuid", type_=sa.Uuid()))
        .values(sort_name=sa.bindparam("sort"), name_words=sa.bindparam("words"))
    )
    rows = connection.execute(sa.select(customers.c.uuid, *texts)).all()
    for start in range(0, len(rows), CHUNK):
        connection.execute(change, [_names(row) for row in rows[start : start + CHUNK]])


def _names(row: sa.Row[Any]) -> dict[str, Any]:
    uuid, *texts = row
    company, first, last, email, *_others = texts
    name = company or " ".join(filter(None, (first, last))) or email
    return {
        "own_uuid": uuid,
        "sort": name.casefold()[:SORT_NAME_LENGTH],
        "words": " ".join(_terms(" ".join(filter(None, texts)))),
    }


def _terms(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    spaced = "".join(_separated(char) for char in plain)
    return list(dict.fromkeys(word[:100] for word in spaced.split()))


def _separated(char: str) -> str:
    kind = unicodedata.category(char)
    if kind[0] == "M" or kind == "Cf":
        return "" if unicodedata.combining(char) or kind in {"Mn", "Me", "Cf"} else char
    if kind == "So" or unicodedata.name(char, "").startswith(("CJK ", "HIRAGANA ", "KATAKANA ")):
        return f" {char} "
    return char if kind[0] in "LN" else " "
