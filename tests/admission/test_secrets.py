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
