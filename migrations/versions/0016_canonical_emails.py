"""E-mail addresses are stored in their canonical form.

They were casefolded, and neither composed (NFC) nor with one spelling of their domains. Where somebody else has the
canonical form already, a row stays as it is: two people are never made one, and `portal doctor` names the address.
Casefolding also wrote weiß@ as weiss@, which nothing stored can undo; such a person gets the address back with
`portal user set-email`.

Revision ID: 0016
Revises: 0015
"""

import unicodedata

import idna
import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

LONGEST = 254


def upgrade() -> None:
    for table in ("users", "customers"):
        rows = sa.table(table, sa.column("uuid", sa.Uuid()), sa.column("email", sa.String()))
        emails = {row.uuid: row.email for row in op.get_bind().execute(sa.select(rows.c.uuid, rows.c.email))}
        taken = set(emails.values())
        for uuid, email in emails.items():
            canonical = _canonical(email)
            if canonical is not None and canonical not in taken:
                op.execute(rows.update().where(rows.c.uuid == uuid).values(email=canonical))
                taken.add(canonical)


def downgrade() -> None:
    """Nothing to undo: a canonical address is found as well by the older code."""


def _canonical(text: str) -> str | None:
    local, at, domain = text[: 4 * LONGEST].strip().rpartition("@")
    local, known = _lower_ascii(unicodedata.normalize("NFC", local)), _canonical_domain(domain)
    email = f"{local}{at}{known}"
    if not local or not known or len(email) > LONGEST or " " in email or not email.isprintable():
        return None
    return email


def _canonical_domain(domain: str) -> str | None:
    lower = _lower_ascii(domain)
    if lower.isascii() and not any(label.startswith("xn--") for label in lower.split(".")):
        return lower
    try:
        return idna.decode(idna.encode(lower, uts46=True, std3_rules=True))
    except UnicodeError:
        return None


def _lower_ascii(text: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in text)
