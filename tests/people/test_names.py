import pytest

from portal.admission.secrets import normal_code
from portal.errors import Invalid
from portal.people import names
from portal.people.names import clean_name
from portal.rooms.slugs import slug_of


@pytest.mark.parametrize(
    ("typed", "name"),
    [("  Ann   Lee ", "Ann Lee"), ("Zoe\u0308", "Zoë"), ("李小龍", "李小龍"), ("👩‍🚀 Mae", "👩‍🚀 Mae")],
)
def test_names_are_tidied_and_otherwise_kept(typed: str, name: str) -> None:
    assert clean_name(typed, field="name", longest=80) == name


@pytest.mark.parametrize(
    "typed", ["", "   ", None, "x" * 81, "a\x00b", "a\x1bb", "safe\u202egpj.exe", "a\u2066b", "\ud800"]
)
def test_names_that_are_empty_too_long_or_misleading_are_refused(typed: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        clean_name(typed, field="name", longest=80)
    assert list(refused.value.fields) == ["name"]


@pytest.mark.parametrize(
    "name",
    ["a\u200bb", "a\u2060b", "\ufeffAda", "so\u00adft", "Ada\u200d", "\u200dAda", "a \u200c b", "x\u3164y", "\u2800"],
)
def test_names_with_something_invisible_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_name(name, field="name", longest=80)
    assert "name" in refused.value.fields


@pytest.mark.parametrize("name", ["\u0301", "\u0301 \u0302", "\ufe0f"])
def test_a_name_of_marks_only_is_none(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_name(name, field="name", longest=80)
    assert "can be seen" in refused.value.fields["name"]


@pytest.mark.parametrize("name", ["می\u200cخواهم", "👩\u200d💻", "❤\ufe0f\u200d🔥", "क्\u200dष", "Zoë 2", "…"])
def test_joiners_between_letters_and_parts_of_an_emoji_stay(name: str) -> None:
    assert clean_name(name, field="name", longest=80) == name


def test_a_text_far_too_long_is_refused_without_being_composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Composing 24,000 marks on one letter takes seconds, in which nobody else is answered."""
    composed: list[str] = []

    def watched(text: str) -> str:
        composed.append(text)
        return text

    monkeypatch.setattr(names, "normalize_spaces", watched)
    with pytest.raises(Invalid):
        clean_name("a" + "\u0301\u0327" * 12_000, field="name", longest=80)
    assert composed == []
    assert len(slug_of("a" + "\u0301" * 100_000)) <= 80
    assert normal_code("a" + "\u0301" * 100_000) == ""
