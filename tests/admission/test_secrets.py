from collections.abc import Callable

import pytest

from portal.admission.secrets import (
    checked_code,
    new_code,
    new_token,
    normal_code,
    read_token,
    same_code,
)
from portal.errors import Invalid


def test_a_token_has_a_prefix_at_least_160_bits_and_a_checksum() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    for token in tokens:
        assert token.startswith("rt_")
        assert len(token) - len("rt_") - 6 >= 160 / 6
        assert read_token(token)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t[:-1],
        lambda t: t[:10] + ("a" if t[10] != "a" else "b") + t[11:],
        lambda t: t.replace("rt_", "rx_"),
        lambda t: "",
        lambda t: t.swapcase(),
    ],
)
def test_a_mistyped_token_is_told_without_a_query(spoil: Callable[[str], str]) -> None:
    assert not read_token(spoil(new_token()))


@pytest.mark.parametrize(
    "typed",
    [
        *("ABCD\u200bEFGH", "\u200eABCD-EFGH\u200e", "\ufeffABCD-EFGH", "ABCD\u00adEFGH", "ABCD\u2060EFGH"),
        *("\u202aABCD-EFGH\u202c", "\u2068ABCD-EFGH\u2069", "ABCD\u2212EFGH", "abcd\u2796efgh", "ABCD\u2043EFGH"),
        *("ABCD\u00a0EFGH", "ABCD-EFGH\ufe0f", "ABCD\r\nEFGH", "ABCD\u2011EFGH", "ABCD\uff0dEFGH"),
    ],
)
def test_what_nobody_sees_in_a_code_does_not_count(typed: str) -> None:
    assert normal_code(typed) == normal_code("ABCD-EFGH")


@pytest.mark.parametrize("typed", ["\u0130STANBUL-\u0130ZM\u0130R", "\u0131stanbul-\u0131zm\u0131r", "ISTANBUL IZMIR"])
def test_every_i_is_the_same(typed: str) -> None:
    assert normal_code(typed) == normal_code("istanbul-izmir")


def test_a_pasted_code_is_stored_without_marks_and_never_with_letters_turned_round() -> None:
    assert checked_code("\u2068ABCD\u200b-EFGH\u2069\ufeff") == "ABCD-EFGH"
    with pytest.raises(Invalid):
        checked_code("ABCD\u202eEFGH")


@pytest.mark.parametrize(
    "typed", ["KDTM-4QXA", "kdtm 4qxa", " k d t m 4 q x a", "kdtm4qxa", "ＫＤＴＭ‐4QXA", "KDTM–4QXA"]
)
def test_codes_are_compared_casefolded_without_spaces_and_hyphens(typed: str) -> None:
    assert same_code(normal_code(typed), normal_code("KDTM-4QXA"))


def test_a_generated_code_is_readable() -> None:
    code = new_code()
    assert len(code) == 9
    assert code[4] == "-"
    assert not set(code) & set("O0I1L")
    assert checked_code(code) == code


@pytest.mark.parametrize("code", ["", "abc", "a - b - c", "x" * 65, "code\x00code"])
def test_a_code_that_cannot_be_one_is_refused_on_its_field(code: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_code(code)
    assert set(refused.value.fields) == {"code"}
