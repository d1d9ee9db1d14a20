"""Of the ffmpegs that there are, the one of this machine is used, unless it is too old or lacks something."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.engines import tool
from portal.engines.tool import ENCODERS, FILTERS, NoTool, Tool, find_tool

OWN, PACKAGED = Path("/usr/bin/ffmpeg"), Path("/packages/ffmpeg")
Given = Callable[..., None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Iterator[Given]:
    """Sets which tools there are."""

    def give(**versions: tuple[str, tuple[str, ...]] | None) -> None:
        paths = {"own": OWN, "packaged": PACKAGED}
        tools = {paths[name]: Tool(paths[name], *what) for name, what in versions.items() if what}
        monkeypatch.setattr(tool, "candidates", lambda: [paths[name] for name in versions])
        monkeypatch.setattr(tool, "examine", tools.get)
        find_tool.cache_clear()

    yield give
    find_tool.cache_clear()


def test_the_one_of_this_machine_comes_first(given: Given) -> None:
    given(own=("5.1.9-0+deb12u1", ()), packaged=("9.0.2", ()))
    assert find_tool().path == OWN
    given(own=("N-112-g123", ()), packaged=("9.0.2", ()))
    assert find_tool().path == OWN


@pytest.mark.parametrize("own", [("4.4.2", ()), ("7.0", ("libx264",)), None], ids=["old", "lacking", "broken"])
def test_the_packaged_one_is_used_where_that_is_old_lacks_something_or_does_not_run(
    given: Given, own: tuple[str, tuple[str, ...]] | None
) -> None:
    given(own=own, packaged=("9.0.2", ()))
    assert find_tool().path == PACKAGED


def test_without_any_it_is_said(given: Given) -> None:
    given(own=("4.1", ()))
    with pytest.raises(NoTool):
        find_tool()


def test_what_a_tool_lacks_is_found_out(tmp_path: Path) -> None:
    fake = tmp_path / "ffmpeg"
    fake.write_text("#!/bin/sh\n[ $1 = -version ] && echo ffmpeg version n6.0-full || echo ' V..... libx264   H.264'\n")
    fake.chmod(0o700)
    found = tool.examine(fake)
    assert found is not None
    assert (found.version, found.major) == ("6.0-full", 6)
    assert found.missing == (*ENCODERS[1:], *FILTERS)
    assert tool.examine(tmp_path / "none") is None
