"""Reading files of captions: WebVTT and SubRip (SRT), strictly, into WebVTT that holds nothing but cues.

Libraries for this drop what they cannot read without a word (`webvtt-py`), or forgive an end before its start. Here
each line is a cue's, or is refused by its number, so that nobody finds out in the middle of a film that half of the
captions are missing. Text stays text: of markup only what WebVTT knows is kept, and everything else is escaped.
"""

import html
import re
from dataclasses import dataclass

from portal.errors import Invalid, Message

LARGEST_CAPTIONS = 900_000
"""Bytes of a file."""
MOST_CUES = 20_000
LONGEST_HOURS = 99

_TIME = r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]\d)[.,](\d{1,3})"
_TIMING = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}(?P<settings>[ \t].*)?", re.ASCII)
_SETTING = re.compile(
    r"(vertical:(rl|lr)|line:-?\d{1,5}(\.\d+)?%?(,(start|center|end))?|position:\d{1,3}(\.\d+)?%"
    r"(,(line-left|center|line-right))?|size:\d{1,3}(\.\d+)?%|align:(start|center|end|left|right))",
    re.ASCII,
)
_TAG = re.compile(
    r"</?(?:[biu]|ruby|rt)>|<[cv](?:\.[\w-]{1,40}){0,4}(?: [^<>&\n]{1,80})?>|</[cv]>|<lang [A-Za-z0-9-]{2,35}>|</lang>",
    re.ASCII,
)
_FOREIGN = re.compile(r"</?font\b[^<>]{0,200}>|\{\\[^{}]{0,100}\}", re.IGNORECASE)
"""What files of other kinds have: colours of SubRip, positions of SubStation. It shows nothing here."""
_BREAKS = re.compile(r"[\r\n]+")
_LEFT_OUT = ("STYLE", "REGION", "NOTE")
"""Blocks of WebVTT that are not shown."""


@dataclass(frozen=True)
class Captions:
    """A file that was read: as WebVTT, with how many `cues`.

    `guessed`: it was no UTF-8, so it was read as Windows-1252, and some letters may be others than were meant.
    """

    text: str
    cues: int
    guessed: bool


@dataclass(frozen=True)
class _Cue:
    begin: int
    end: int
    settings: str
    text: str


def read_captions(data: bytes, *, field: str = "file") -> Captions:
    """The captions in a file. Raises `Invalid` on `field`, with the number of the line that cannot be read."""
    if len(data) > LARGEST_CAPTIONS:
        raise Invalid(**{field: Message("This file is too large: captions have at most 900 KB.")})
    text, guessed = _decoded(data, field)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cues = _Reader(lines, field).cues()
    if not cues:
        raise Invalid(**{field: Message("There are no captions in this file. Use a WebVTT or an SRT file.")})
    if len(cues) > MOST_CUES:
        raise Invalid(**{field: Message("These are too many captions: at most %(most)d.", most=MOST_CUES)})
    cues.sort(key=lambda cue: cue.begin)
    return Captions("WEBVTT\n\n" + "\n".join(map(_written, cues)), len(cues), guessed)


class _Reader:
    """The lines of a file, read block by block: blank lines stand between them."""

    def __init__(self, lines: list[str], field: str) -> None:
        self._lines, self._field = lines, field
        self._vtt = lines[0].startswith("WEBVTT")
        self._at = self._block_end(0) if self._vtt else 0

    def cues(self) -> list[_Cue]:
        """All cues, in the order of the file."""
        cues: list[_Cue] = []
        while self._at < len(self._lines):
            if not self._lines[self._at].strip():
                self._at += 1
            elif self._vtt and self._lines[self._at].split(" ", 1)[0].strip() in _LEFT_OUT:
                self._at = self._block_end(self._at)
            else:
                cues.append(self._cue())
        return cues

    def _cue(self) -> _Cue:
        """The cue that begins at this line, perhaps with its number or name."""
        named = "-->" not in self._lines[self._at]
        at = self._at + named
        if at >= len(self._lines) or not self._lines[at].strip():
            raise self._refused(at - named, Message("here stands neither a time nor a caption's text"))
        begin, end, settings = self._timing(at)
        last = self._block_end(at + 1)
        for number in range(at + 1, last):
            if _TIMING.match(self._lines[number].strip()):
                raise self._refused(number, Message("a blank line is missing before this time"))
        self._at = last
        payload = [_cleaned(line) for line in self._lines[at + 1 : last]]
        return _Cue(begin, end, settings, "\n".join(line for line in payload if line))

    def _timing(self, at: int) -> tuple[int, int, str]:
        """Begin and end in milliseconds, and the settings that stand behind them."""
        found = _TIMING.fullmatch(self._lines[at].strip())
        if found is None:
            example = "00:01.000 --> 00:04.000" if self._vtt else "00:00:01,000 --> 00:00:04,000"
            raise self._refused(at, Message("write the times as %(example)s", example=example))
        begin, end = (_milliseconds(found.groups()[first : first + 4]) for first in (0, 4))
        if max(begin, end) >= LONGEST_HOURS * 3_600_000:
            raise self._refused(at, Message("this time is too late"))
        if end <= begin:
            raise self._refused(at, Message("the end is not after the beginning"))
        settings = (found["settings"] or "").split()
        return begin, end, " ".join(one for one in settings if _SETTING.fullmatch(one))

    def _block_end(self, at: int) -> int:
        """The number of the next blank line, or of the line after the last."""
        while at < len(self._lines) and self._lines[at].strip():
            at += 1
        return at

    def _refused(self, at: int, why: Message) -> Invalid:
        return Invalid(**{self._field: Message("Line %(line)d: %(why)s.", line=at + 1, why=why)})


def _decoded(data: bytes, field: str) -> tuple[str, bool]:
    """The text, and whether its encoding is a guess."""
    encodings = ("utf-16",) if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "cp1252")
    for number, encoding in enumerate(encodings):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, number > 0
    raise Invalid(**{field: Message("This is no text. Use a WebVTT or an SRT file in UTF-8.")})


def _milliseconds(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = parts
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))


def _cleaned(line: str) -> str:
    """A line of a cue: its markup as far as WebVTT knows it, and everything else as the text that it is."""
    line = _FOREIGN.sub("", line).strip()
    kept, at = [], 0
    for found in _TAG.finditer(line):
        kept += [_escaped(line[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*kept, _escaped(line[at:])])


def _escaped(text: str) -> str:
    """Text as WebVTT writes it, in its one line: an arrow in it would be taken for a time, a blank line for the end."""
    return html.escape(_BREAKS.sub(" ", html.unescape(text)), quote=False)


def _written(cue: _Cue) -> str:
    settings = f" {cue.settings}" if cue.settings else ""
    return f"{_time(cue.begin)} --> {_time(cue.end)}{settings}\n{cue.text}\n"


def _time(milliseconds: int) -> str:
    seconds, fraction = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:03}"
