from datetime import UTC, datetime
from uuid import RFC_4122, UUID

import pytest
from ulid import ULID

from portal.column_types import UTCDateTime
from portal.identifiers import ID_LENGTH, IdentifierMixin, new_id, new_uuid


def test_a_uuid_is_of_version_7_and_orders_by_creation() -> None:
    made = [new_uuid() for _ in range(50)]
    assert {uuid.version for uuid in made} == {7}
    assert {uuid.variant for uuid in made} == {RFC_4122}
    stamps = [uuid.int >> 80 for uuid in made]
    assert stamps == sorted(stamps)


def test_uuid_and_ulid_are_the_same_bits() -> None:
    uuid = new_uuid()
    ulid = str(ULID.from_uuid(uuid))
    assert len(ulid) == 26
    assert UUID(int=int(ULID.from_str(ulid))) == uuid


def test_a_row_knows_each_spelling_of_itself() -> None:
    class Row(IdentifierMixin):
        uuid, id = new_uuid(), new_id()

    row = Row()
    for text in (row.id, str(row.uuid), str(row.uuid).upper(), row.ulid, row.ulid.lower()):
        assert row.has_identifier(text)
    for text in (new_id(), str(new_uuid()), "", "-", row.ulid[:-1], "no-uuid"):
        assert not row.has_identifier(text)


def test_short_ids_are_random_base_58() -> None:
    ids = {new_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(len(one) == ID_LENGTH and not set(one) & set("0OIl") and one.isalnum() for one in ids)


def test_a_moment_without_a_zone_is_a_bug() -> None:
    from sqlalchemy.dialects import sqlite

    with pytest.raises(ValueError, match="zone"):
        UTCDateTime().process_bind_param(datetime(2026, 1, 1), sqlite.dialect())  # noqa: DTZ001
    stored = UTCDateTime().process_bind_param(datetime(2026, 1, 1, tzinfo=UTC), sqlite.dialect())
    assert UTCDateTime().process_result_value(stored, sqlite.dialect()) == datetime(2026, 1, 1, tzinfo=UTC)
