"""A token is read out of whatever mail and chat leave around it, and nothing else ever is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal import token_format
from portal.token_format import LONGEST_TEXT, TokenFormat

FORMAT = TokenFormat("rt_", random_bytes=24)
TOKENS = st.builds(FORMAT.new)
SURROUNDINGS = st.text(max_size=300)
BREAKS = st.sampled_from(
    [
        "\r\n",
        "\n",
        "=\r\n",
        "=\n",
        " ",
        "\t",
        "\u00a0",
        "\u200b",
        "\u00ad",
        "\ufeff",
        "\u200e",
        "\n> ",
        "\r\n\t",
        "%0D%0A",
        "",
    ]
)


@given(TOKENS, SURROUNDINGS, SURROUNDINGS)
def test_a_token_is_read_in_any_surroundings(token: str, before: str, after: str) -> None:
    assert FORMAT.find(before + token + after) == token


@given(TOKENS, BREAKS, st.integers(1, 40), st.integers(1, 40))
def test_a_token_is_read_across_breaks(token: str, broken: str, first: int, second: int) -> None:
    pieces = (token[: min(first, second)], token[min(first, second) : max(first, second)], token[max(first, second) :])
    assert FORMAT.find(broken.join(pieces)) == token


@given(st.text(max_size=300))
@example("rt_" + "A" * 38)
@example("rt_rt_rt_" + "rt_" * 30)
def test_no_token_is_read_where_none_is(text: str) -> None:
    assert FORMAT.find(text) is None


@given(TOKENS, st.integers(3, 40), st.sampled_from("ABCxyz019-_"))
def test_a_token_with_one_wrong_character_is_none(token: str, place: int, char: str) -> None:
    spoilt = token[:place] + char + token[place + 1 :]
    assert FORMAT.find(spoilt) == (token if spoilt == token else None)


def test_another_kind_of_token_is_none() -> None:
    assert FORMAT.find(TokenFormat("fa_", random_bytes=24).new()) is None


def test_the_reading_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is sent, the checksum is computed a few hundred times at most."""
    tried: list[str] = []

    def checksum(body: str) -> str:
        tried.append(body)
        return ""

    monkeypatch.setattr(token_format, "_checksum", checksum)
    assert FORMAT.find("rt_" * 1_000_000) is None
    assert len(tried) <= LONGEST_TEXT // len("rt_")
