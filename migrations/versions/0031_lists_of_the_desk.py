"""The words by which subscriptions are found, with an index over them; and indexes for lists of staff.

PostgreSQL orders subscriptions by when they end, and finds those that end soon, by an index over that expression; see
`portal.subscriptions.endings`. It takes the place of two indexes. SQLite, whose expressions nobody can read back from
an index, sorts what a list has. The index of the audit's kinds leaves out those of which there are very many.

SQLite: `subscription_names` is a full-text table kept by triggers on `subscriptions`, as `customer_names` is on
`customers`. A later migration that rebuilds `subscriptions` (batch mode copies the table) has to make them again.

Revision ID: 0031
Revises: 0030
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

CHUNK = 1_000
BY_STATUS = ("status", "created_at", "uuid")
REPLACED = {"ix_subscriptions_cancels_at": ["cancels_at"], "ix_subscriptions_ends_at_uuid": ["ends_at", "uuid"]}
RARE = sa.text("thing <> 'participations' AND thing <> 'room_tokens'")

ON_SQLITE = (
    "CREATE TABLE subscription_numbers (number INTEGER PRIMARY KEY, subscription_uuid CHAR(32) NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE subscription_names USING fts5(words, tokenize = 'ascii', prefix = '2 3')",
    "INSERT INTO subscription_numbers (subscription_uuid) SELECT uuid FROM subscriptions",
    """
    INSERT INTO subscription_names (rowid, words)
    SELECT number, name_words FROM subscriptions JOIN subscription_numbers ON subscription_uuid = uuid
    """,
    """
    CREATE TRIGGER subscription_named AFTER INSERT ON subscriptions BEGIN
        INSERT INTO subscription_numbers (subscription_uuid) VALUES (new.uuid);
        INSERT INTO subscription_names (rowid, words)
        SELECT number, new.name_words FROM subscription_numbers WHERE subscription_uuid = new.uuid;
    END
    """,
    """
    CREATE TRIGGER subscription_renamed AFTER UPDATE OF name_words ON subscriptions
    WHEN old.name_words <> new.name_words BEGIN
        UPDATE subscription_names SET words = new.name_words
        WHERE rowid = (SELECT number FROM subscription_numbers WHERE subscription_uuid = new.uuid);
    END
    """,
    """
    CREATE TRIGGER subscription_gone AFTER DELETE ON subscriptions BEGIN
        DELETE FROM subscription_names
        WHERE rowid = (SELECT number FROM subscription_numbers WHERE subscription_uuid = old.uuid);
        DELETE FROM subscription_numbers WHERE subscription_uuid = old.uuid;
    END
    """,
)
ON_POSTGRESQL = (
    """
    CREATE INDEX ix_subscriptions_name_words ON subscriptions
    USING gin (array_to_tsvector(string_to_array(name_words, ' ')))
    """,
    """
    CREATE INDEX ix_subscriptions_expected_end_uuid ON subscriptions ((
        coalesce(CASE WHEN status = 'canceled' THEN cancels_at ELSE ends_at END, '9999-12-31 00:00:00.000000')
    ), uuid)
    """,
)


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("name_words", sa.Text(), nullable=True))
    _fill()
    with op.batch_alter_table("subscriptions") as subscriptions:
        subscriptions.alter_column("name_words", existing_type=sa.Text(), nullable=False)
        subscriptions.create_index(f"ix_subscriptions_{'_'.join(BY_STATUS)}", list(BY_STATUS))
        for name in REPLACED:
            subscriptions.drop_index(name)
    for statement in ON_SQLITE if op.get_bind().dialect.name == "sqlite" else ON_POSTGRESQL:
        op.execute(statement)
    op.create_index(
        "ix_audit_events_thing_at_uuid",
        "audit_events",
        ["thing", "at", "uuid"],
        sqlite_where=RARE,
        postgresql_where=RARE,
    )


def downgrade() -> None:
    op.drop_index("ix_audit_events_thing_at_uuid", "audit_events")
    if op.get_bind().dialect.name == "sqlite":
        for trigger in ("subscription_named", "subscription_renamed", "subscription_gone"):
            op.execute(f"DROP TRIGGER {trigger}")
        op.execute("DROP TABLE subscription_names")
        op.execute("DROP TABLE subscription_numbers")
    else:
        op.execute("DROP INDEX ix_subscriptions_name_words")
        op.execute("DROP INDEX ix_subscriptions_expected_end_uuid")
    with op.batch_alter_table("subscriptions") as subscriptions:
        subscriptions.drop_index(f"ix_subscriptions_{'_'.join(BY_STATUS)}")
        for name, columns in REPLACED.items():
            subscriptions.create_index(name, columns)
        subscriptions.drop_column("name_words")


def _fill() -> None:
    connection = op.get_bind()
    subscriptions = sa.table(
        "subscriptions",
        sa.column("uuid", sa.Uuid()),
        sa.column("name", sa.String()),
        sa.column("tag", sa.String()),
        sa.column("name_words", sa.Text()),
    )
    change = (
        sa.update(subscriptions)
        .where(subscriptions.c.uuid == sa.bindparam("own_uuid", type_=sa.Uuid()))
        .values(name_words=sa.bindparam("words"))
    )
    rows = connection.execute(sa.select(subscriptions.c.uuid, subscriptions.c.name, subscriptions.c.tag)).all()
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        connection.execute(
            change, [{"own_uuid": uuid, "words": " ".join(_terms(f"{name} {tag}"))} for uuid, name, tag in chunk]
        )


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
