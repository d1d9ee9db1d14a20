import pytest

from portal.errors import Invalid
from portal.people.names import readable


@pytest.mark.parametrize(
    ("typed", "name"),
    [("  Ann   Lee ", "Ann Lee"), ("Zoe\u0308", "Zoë"), ("李小龍", "李小龍"), ("👩‍🚀 Mae", "👩‍🚀 Mae")],
)
def test_names_are_tidied_and_otherwise_kept(typed: str, name: str) -> None:
    assert readable(typed, field="name", longest=80) == name


@pytest.mark.parametrize(
    "typed", ["", "   ", None, "x" * 81, "a\x00b", "a\x1bb", "safe\u202egpj.exe", "a\u2066b", "\ud800"]
)
def test_names_that_are_empty_too_long_or_misleading_are_refused(typed: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        readable(typed, field="name", longest=80)
    assert list(refused.value.fields) == ["name"]
