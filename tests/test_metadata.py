"""Metadata: an object of scalars with one level of nesting, kept as it came, replaced as a whole."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import Invalid
from portal.metadata import LARGEST, checked_metadata, read_metadata, written

texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40)
keys = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
levels = scalars | st.lists(scalars, max_size=5) | st.dictionaries(keys, scalars, max_size=5)
deeper = st.lists(st.lists(scalars, max_size=1), min_size=1, max_size=2) | st.dictionaries(
    keys, st.dictionaries(keys, scalars, max_size=1), min_size=1, max_size=2
)
anything = st.recursive(
    scalars | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.dictionaries(keys, levels, max_size=8))
def test_one_level_of_scalars_comes_back_as_it_went_in(value: dict[str, Any]) -> None:
    assert checked_metadata(value, field="room_metadata") == value
    assert read_metadata(written(value), field="room_metadata") == value
    assert read_metadata(written(value, indent=2), field="room_metadata") == value


@given(keys, deeper)
def test_a_second_level_is_refused_naming_the_path(key: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        checked_metadata({key: value}, field="room_metadata")
    assert "nested too deeply" in refused.value.fields["room_metadata"]
    assert refused.value.fields["room_metadata"].startswith(key)


@given(anything)
def test_anything_else_is_refused_on_its_field_and_nothing_breaks(value: Any) -> None:
    refused, kept = None, None
    try:
        kept = checked_metadata(value, field="room_metadata")
    except Invalid as invalid:
        refused = set(invalid.fields)
    assert refused in (None, {"room_metadata"})
    if refused is None:
        assert isinstance(kept, dict)
        assert json.loads(json.dumps(kept, allow_nan=False)) == value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "is a JSON object"),
        ([1], "is a JSON object"),
        ({"": 1}, "too long or empty"),
        ({"k" * 101: 1}, "too long or empty"),
        ({"a": {"k" * 101: 1}}, "A key in a is too long"),
        ({"a\nb": 1}, "A key in metadata holds an invisible"),
        ({"a": {"b\x00": 1}}, "A key in a holds an invisible"),
        ({"a": {"b": [1]}}, "a.b is nested too deeply"),
        ({"a": [1, {"b": 2}]}, "a[1] is nested too deeply"),
        ({"a": float("nan")}, "a is not a number"),
        ({"a": {"b": float("inf")}}, "a.b is not a number"),
        ({"a": "x\x00y"}, "a holds a character"),
        ({"a": ["\ud800"]}, "a[0] holds a character"),
        ({"a": "x" * LARGEST}, "too much"),
        ({"a": "ü" * (LARGEST // 2)}, "too much"),
        ({1: 2}, "too long or empty"),
        ({"a": object()}, "a is neither"),
    ],
)
def test_the_message_names_the_path(value: object, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_metadata(value, field="room_metadata")
    assert words in refused.value.fields["room_metadata"]


def test_sixteen_kilobytes_are_the_last_that_fit() -> None:
    frame = len(written({"a": ""}))
    checked_metadata({"a": "x" * (LARGEST - frame)}, field="room_metadata")
    with pytest.raises(Invalid):
        checked_metadata({"a": "x" * (LARGEST - frame + 1)}, field="room_metadata")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1', "line 1, column 8"),
        ('{\n  "a": oops\n}', "line 2, column 8"),
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": -Infinity}', "-Infinity is not a number"),
        ('{"a": 1e999}', "a is not a number"),
        ('{"a": 1, "b": 2, "a": 3}', "The key a is there twice"),
        ('{"a": {"b": 1, "b": 1}}', "The key b is there twice"),
        ("[" * 60_000, "no JSON that can be kept"),
        ('{"a": ' + "9" * 5000 + "}", "no JSON that can be kept"),
        (" " * 10 + "x" * 70_000, "too long"),
        ("[]", "is a JSON object"),
        ("5", "is a JSON object"),
    ],
)
def test_what_somebody_typed_wrongly_is_said_in_words(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_metadata(text, field="room_metadata")
    assert words in refused.value.fields["room_metadata"]


@pytest.mark.parametrize("text", ["", "  \n", "{}"])
def test_nothing_typed_is_an_empty_object(text: str) -> None:
    assert read_metadata(text, field="room_metadata") == {}
