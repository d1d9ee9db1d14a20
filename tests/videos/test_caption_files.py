"""Files of captions: what is read of them, and what is refused by the number of its line."""

import pytest

from portal.errors import Invalid
from portal.videos.caption_files import LARGEST_CAPTIONS, read_captions

SRT = """1
00:00:01,000 --> 00:00:02,500
Good <i>morning</i>

2
00:00:03,000 --> 00:00:04,000
Two
lines
"""


def text_of(source: str) -> str:
    return read_captions(source.encode()).text


def refusal(source: str | bytes) -> str:
    with pytest.raises(Invalid) as refused:
        read_captions(source if isinstance(source, bytes) else source.encode())
    return str(refused.value.fields["file"])


def test_an_srt_file_becomes_webvtt() -> None:
    assert text_of(SRT) == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nGood <i>morning</i>\n\n00:00:03.000 --> 00:00:04.000\nTwo\nlines\n"
    )
    assert read_captions(SRT.encode()).cues == 2


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(ends: str) -> None:
    assert text_of(SRT.replace("\n", ends)) == text_of(SRT)


def test_webvtt_keeps_times_names_settings_and_its_own_markup() -> None:
    read = text_of(
        "WEBVTT - a film\nX-HEADER: left out\n\nNOTE by hand\n\nSTYLE\n::cue { color: red }\n\n"
        "intro\n01:02.003 --> 1:00:00.5 align:start line:10% bogus:1\n<v Anna>Hello & <c.loud>you</c>\n"
    )
    assert read == (
        "WEBVTT\n\n00:01:02.003 --> 01:00:00.500 align:start line:10%\n<v Anna>Hello &amp; <c.loud>you</c>\n"
    )


def test_what_is_no_markup_of_captions_stays_text() -> None:
    read = text_of("1\n00:00:01,000 --> 00:00:02,000\n<script>alert(1)</script> 1 < 2 --> 3 <b onclick=x>\n")
    assert "<script" not in read
    assert "&lt;script&gt;alert(1)&lt;/script&gt; 1 &lt; 2 --&gt; 3 &lt;b onclick=x&gt;" in read


def test_a_break_that_is_written_as_a_sign_ends_no_caption() -> None:
    read = text_of("1\n00:00:01,000 --> 00:00:02,000\nOne&#10;&#13;&NewLine;STYLE two\n")
    assert read == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nOne STYLE two\n"


def test_colours_and_places_of_other_kinds_of_files_are_left_out() -> None:
    assert "\nred\n" in text_of('1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<font color="#f00">red</font>\n')


def test_captions_are_put_in_the_order_of_their_times() -> None:
    read = text_of("2\n00:00:05,000 --> 00:00:06,000\nlater\n\n1\n00:00:01,000 --> 00:00:02,000\nearlier\n")
    assert read.index("earlier") < read.index("later")


def test_a_file_in_windows_letters_is_read_and_said_to_be_a_guess() -> None:
    read = read_captions(SRT.replace("morning", "f\u00fcr \u201eSie\u201c").encode("cp1252"))
    assert "f\u00fcr \u201eSie\u201c" in read.text
    assert read.guessed
    assert not read_captions(b"\xef\xbb\xbf" + SRT.encode()).guessed
    assert read_captions(SRT.encode("utf-16")).text == text_of(SRT)


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("1\n00:00:02,000 --> 00:00:01,000\nback\n", 2, "not after the beginning"),
        ("1\n00:00:01,000 --> 00:00:01,000\nnever\n", 2, "not after the beginning"),
        ("1\n00:00:01 --> 00:00:02\nno thousandths\n", 2, "write the times as 00:00:01,000"),
        ("1\n00:61:00,000 --> 00:62:00,000\nminutes\n", 2, "write the times"),
        ("WEBVTT\n\nintro\nhello\n", 4, "write the times as 00:01.000"),
        (
            "1\n00:00:01,000 --> 00:00:02,000\none\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n",
            5,
            "a blank line is missing",
        ),
        ("1\n00:00:01,000 --> 00:00:02,000\none\n\nwhat is this?\n", 5, "neither a time nor"),
        ("1\n120:00:00,000 --> 120:00:01,000\nlate\n", 2, "too late"),
        ("hello\n", 1, "neither a time nor"),
        ("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", 2, "write the times"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(source: str, line: int, says: str) -> None:
    said = refusal(source)
    assert said.startswith(f"Line {line}: ")
    assert says in said


def test_what_holds_no_captions_is_refused() -> None:
    assert "no captions" in refusal("")
    assert "no captions" in refusal("WEBVTT\n\nNOTE nothing\n")
    assert "no text" in refusal(b"\x89PNG\r\n\x1a\n\0\0\0")
    assert "too large" in refusal(b"x" * (LARGEST_CAPTIONS + 1))


def test_many_brackets_take_no_time() -> None:
    line = "<" * 200_000 + "{\\" * 100_000
    assert text_of(f"1\n00:00:01,000 --> 00:00:02,000\n{line}\n").count("&lt;") == 200_000
