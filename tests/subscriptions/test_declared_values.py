"""Values of declared fields: each kind takes what it says, of exactly that type, and nothing else."""

from typing import Any

import pytest

from portal.errors import Invalid, Message
from portal.providers.base import FieldKind, Setting, SettingScope
from portal.subscriptions.declared_values import checked_value
from tests.providers.declaring import PROPERTIES

BY_KIND = {one.kind: one for one in PROPERTIES if one.name.startswith("my_")}


def checked(kind: FieldKind, value: object) -> Any:
    return checked_value(BY_KIND[kind], value, within="properties")


def test_there_is_a_check_of_every_kind() -> None:
    assert set(BY_KIND) == set(FieldKind)
    for kind in FieldKind:
        with pytest.raises(Invalid) as refused:
            checked(kind, ["a list"])
        assert set(refused.value.fields) == {f"properties.my_{kind.value}"}


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        (FieldKind.TEXT, "  two\r\nlines ", "two\nlines"),
        (FieldKind.ADDRESS, "https://example.org/x", "https://example.org/x"),
        (FieldKind.CHOICE, "loud", "loud"),
        (FieldKind.SWITCH, False, False),
        (FieldKind.SWITCH, True, True),
        (FieldKind.NUMBER, 1, 1),
        (FieldKind.NUMBER, 60, 60),
        (FieldKind.COLOR, "#1a2B3c", "#1A2B3C"),
        (FieldKind.MOMENT, "2027-01-31T18:30:00+01:00", "2027-01-31T17:30:00.000000Z"),
        (FieldKind.MOMENT, "2027-01-31", "2027-01-31T00:00:00.000000Z"),
        (FieldKind.SECRET, "s3cret\n", "s3cret"),
    ],
)
def test_what_fits_is_stored_as_plain_json_of_its_type(kind: FieldKind, value: object, stored: object) -> None:
    result = checked(kind, value)
    assert result == stored
    assert type(result) is type(stored)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FieldKind.TEXT, 5),
        (FieldKind.TEXT, "x" * 201),
        (FieldKind.TEXT, "a\x00b"),
        (FieldKind.ADDRESS, "ftp://example.org/"),
        (FieldKind.ADDRESS, "https://user:secret@example.org/"),
        (FieldKind.CHOICE, "Soft"),
        (FieldKind.SWITCH, 0),
        (FieldKind.SWITCH, 1),
        (FieldKind.SWITCH, "true"),
        (FieldKind.NUMBER, True),
        (FieldKind.NUMBER, 0),
        (FieldKind.NUMBER, 61),
        (FieldKind.NUMBER, 5.0),
        (FieldKind.NUMBER, float("nan")),
        (FieldKind.NUMBER, float("inf")),
        (FieldKind.NUMBER, "5"),
        (FieldKind.NUMBER, 10**400),
        (FieldKind.COLOR, "red"),
        (FieldKind.COLOR, "#abc"),
        (FieldKind.COLOR, "#1A2B3C4D"),
        (FieldKind.COLOR, "#1A2B3\u0663"),
        (FieldKind.COLOR, "#1A2B3C\n#"),
        (FieldKind.MOMENT, "2027-01-31T18:30:00"),
        (FieldKind.MOMENT, "tomorrow"),
        (FieldKind.MOMENT, "1800-01-01"),
        (FieldKind.MOMENT, 1_800_000_000),
        (FieldKind.FILE, "01JD-logo_2"),
        (FieldKind.FILE, ""),
        (FieldKind.FILE, None),
        (FieldKind.FILE, "https://example.org/a.png"),
        (FieldKind.SECRET, 5),
        (FieldKind.SECRET, "x" * 201),
    ],
)
def test_what_does_not_fit_is_refused_by_name(kind: FieldKind, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        checked(kind, value)
    assert set(refused.value.fields) == {f"properties.my_{kind.value}"}


def test_a_setting_of_rooms_is_never_a_secret() -> None:
    words = Message("Password")
    with pytest.raises(ValueError, match="password"):
        Setting(
            name="password",
            kind=FieldKind.SECRET,
            label=words,
            help=words,
            scope=SettingScope.PROVIDER,
            read_by="tests",
        )
