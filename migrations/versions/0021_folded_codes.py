"""Compare access codes by what counts in them, and keep whole seconds of when tokens and codes end and were used.

Two codes of a room that are one by now both stay: the younger one keeps its old normal form, and still lets people in,
because a typed code is compared with the codes themselves.

Revision ID: 0021
Revises: 0020
"""

import unicodedata
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

CODES = sa.table(
    "access_codes",
    *(sa.column(name, sa.Uuid()) for name in ("uuid", "room_uuid")),
    *(sa.column(name, sa.String()) for name in ("code", "normal")),
)
DASHES = frozenset("\u02d7\u2043\u2212\u2796")


def upgrade() -> None:
    _fold_anew(_fold)
    exact = op.get_bind().dialect.name == "postgresql"
    for table in ("room_tokens", "access_codes"):
        for column in ("expires_at", "last_usage"):
            whole = f"date_trunc('second', {column})" if exact else f"substr({column}, 1, 19) || '.000000'"
            op.execute(f"UPDATE {table} SET {column} = {whole} WHERE {column} IS NOT NULL")  # noqa: S608


def downgrade() -> None:
    _fold_anew(_fold_before)


def _fold_anew(fold: Callable[[str], str]) -> None:
    bind = op.get_bind()
    codes = bind.execute(sa.select(CODES).order_by(CODES.c.uuid)).all()
    taken = {(code.room_uuid, code.normal) for code in codes}
    for code in codes:
        normal = fold(code.code)
        if normal != code.normal and (code.room_uuid, normal) not in taken:
            bind.execute(sa.update(CODES).where(CODES.c.uuid == code.uuid).values(normal=normal))
            taken.add((code.room_uuid, normal))


def _fold_before(code: str) -> str:
    folded = unicodedata.normalize("NFKC", code).casefold()
    return "".join(char for char in folded if not char.isspace() and unicodedata.category(char) != "Pd")


def _fold(code: str) -> str:
    folded = _fold_before(code).replace("i\u0307", "i").replace("\u0131", "i")
    return "".join(char for char in folded if not _is_nothing(char))


def _is_nothing(char: str) -> bool:
    return char in DASHES or "\ufe00" <= char <= "\ufe0f" or unicodedata.category(char) in {"Cc", "Cf"}
