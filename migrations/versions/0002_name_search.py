"""the words of rooms' names with an index over them, and an index for each order in which lists are read.

SQLite: `room_names` is a full-text table kept by triggers on `rooms`. It numbers rooms by a table of its
own, because VACUUM may change the row numbers of `rooms`. A later migration that rebuilds `rooms` (batch
mode copies the table) loses the triggers and has to make them again; tests/rooms/test_search.py notices.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RELATIONS = ("owner_uuid", "account_uuid", "customer_uuid")

ON_SQLITE = (
    "CREATE TABLE room_numbers (number INTEGER PRIMARY KEY, room_uuid CHAR(32) NOT NULL UNIQUE)",
    # "ascii" cuts at ASCII white space and punctuation only: everything else was done by `_terms`
    "CREATE VIRTUAL TABLE room_names USING fts5(words, tokenize = 'ascii', prefix = '2 3')",
    "INSERT INTO room_numbers (room_uuid) SELECT uuid FROM rooms",
    "INSERT INTO room_names (rowid, words) SELECT number, name_words FROM rooms JOIN room_numbers ON room_uuid = uuid",
    """
    CREATE TRIGGER room_named AFTER INSERT ON rooms BEGIN
        INSERT INTO room_numbers (room_uuid) VALUES (new.uuid);
        INSERT INTO room_names (rowid, words)
        SELECT number, new.name_words FROM room_numbers WHERE room_uuid = new.uuid;
    END
    """,
    """
    CREATE TRIGGER room_renamed AFTER UPDATE OF name_words ON rooms WHEN old.name_words <> new.name_words BEGIN
        UPDATE room_names SET words = new.name_words
        WHERE rowid = (SELECT number FROM room_numbers WHERE room_uuid = new.uuid);
    END
    """,
    """
    CREATE TRIGGER room_gone AFTER DELETE ON rooms BEGIN
        DELETE FROM room_names WHERE rowid = (SELECT number FROM room_numbers WHERE room_uuid = old.uuid);
        DELETE FROM room_numbers WHERE room_uuid = old.uuid;
    END
    """,
)
ON_POSTGRESQL = (
    "CREATE INDEX ix_rooms_name_words ON rooms USING gin (array_to_tsvector(string_to_array(name_words, ' ')))",
)


def upgrade() -> None:
    op.add_column("rooms", sa.Column("name_words", sa.Text(), nullable=True))
    _cut_names()
    with op.batch_alter_table("rooms") as rooms:
        rooms.alter_column("name_words", existing_type=sa.Text(), nullable=False)
        for relation in RELATIONS:
            rooms.drop_index(f"ix_rooms_{relation}")
            rooms.create_index(f"ix_rooms_{relation}_sort_name_uuid", [relation, "sort_name", "uuid"])
        rooms.drop_index("ix_rooms_subscription_uuid")
        rooms.create_index("ix_rooms_subscription_uuid_trashed_at", ["subscription_uuid", "trashed_at"])
    for statement in ON_SQLITE if op.get_bind().dialect.name == "sqlite" else ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for trigger in ("room_named", "room_renamed", "room_gone"):
            op.execute(f"DROP TRIGGER {trigger}")
        op.execute("DROP TABLE room_names")
        op.execute("DROP TABLE room_numbers")
    else:
        op.execute("DROP INDEX ix_rooms_name_words")
    with op.batch_alter_table("rooms") as rooms:
        rooms.drop_index("ix_rooms_subscription_uuid_trashed_at")
        rooms.create_index("ix_rooms_subscription_uuid", ["subscription_uuid"])
        for relation in RELATIONS:
            rooms.drop_index(f"ix_rooms_{relation}_sort_name_uuid")
            rooms.create_index(f"ix_rooms_{relation}", [relation])
        rooms.drop_column("name_words")


def _cut_names() -> None:
    """Fill `name_words` of the rooms that are there."""
    rooms = sa.table("rooms", sa.column("uuid", sa.Uuid()), sa.column("room_name"), sa.column("name_words"))
    connection = op.get_bind()
    found = connection.execute(sa.select(rooms.c.uuid, rooms.c.room_name)).all()
    changes = [{"key": uuid, "words": " ".join(_terms(name))} for uuid, name in found]
    if changes:
        connection.execute(
            sa.update(rooms).where(rooms.c.uuid == sa.bindparam("key")).values(name_words=sa.bindparam("words")),
            changes,
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
