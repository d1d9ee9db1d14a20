import pytest

from portal.admission.codes import create_code
from portal.admission.secrets import normal_code
from portal.errors import Invalid
from portal.people import names
from portal.people.actor import actor_of
from portal.people.names import clean_name, clean_text, printable
from portal.rooms.models import Role
from portal.rooms.operations import describe_room
from portal.rooms.slugs import slug_of
from tests.cast import Cast, editable


@pytest.mark.parametrize(
    ("typed", "name"),
    [("  Ann   Lee ", "Ann Lee"), ("Zoe\u0308", "Zoë"), ("李小龍", "李小龍"), ("👩‍🚀 Mae", "👩‍🚀 Mae")],
)
def test_names_are_tidied_and_otherwise_kept(typed: str, name: str) -> None:
    assert clean_name(typed, field="name", longest=80) == name


@pytest.mark.parametrize(
    "typed",
    ["", "   ", None, "x" * 81, "a\x00b", "a\x1bb", "safe\u202egpj.exe", "a\u202db", "a\u2066b", "a\u202cb", "\ud800"],
)
def test_names_that_are_empty_too_long_or_misleading_are_refused(typed: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        clean_name(typed, field="name", longest=80)
    assert list(refused.value.fields) == ["name"]


@pytest.mark.parametrize(
    "name",
    ["x\u3164y", "\u2800", "a\U000e0067b", "\U0001f3f4\U000e0067\U000e0062", "Sara\u180e", "a\u180eb", "a\u2061b"],
)
def test_names_with_something_invisible_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_name(name, field="name", longest=80)
    assert "name" in refused.value.fields


@pytest.mark.parametrize(
    ("pasted", "name"),
    [
        ("\u200eAnna Berg", "Anna Berg"),
        ("\u05d3\u05d5\u05d3\u200f", "\u05d3\u05d5\u05d3"),
        ("\ufeffAnna", "Anna"),
        ("Anna Berg\u200b", "Anna Berg"),
        ("Anna\u00adlena", "Annalena"),
        ("\u2068Anna\u2069", "Anna"),
        ("\u202bAnna\u202c", "Anna"),
        ("Tom \u2067\u05d3\u05d5\u05d3\u2069 Berg", "Tom \u05d3\u05d5\u05d3 Berg"),
        ("a\u2060b\u061c", "ab"),
        ("\u179f\u17bb\u1781\u200b\u178a\u17b6", "\u179f\u17bb\u1781\u178a\u17b6"),
        ("Ada\u200d", "Ada"),
        ("\u200dAda", "Ada"),
        ("a \u200c b", "a b"),
        (
            "\u0645\u0647\u062f\u06cc\u200c \u06a9\u0631\u06cc\u0645\u06cc",
            "\u0645\u0647\u062f\u06cc \u06a9\u0631\u06cc\u0645\u06cc",
        ),
    ],
)
def test_marks_that_do_no_harm_are_dropped(pasted: str, name: str) -> None:
    assert clean_name(pasted, field="name", longest=80) == name
    assert printable(pasted, longest=80) == name


@pytest.mark.parametrize(
    "name",
    [
        "\u0d2e\u0d4b\u0d39\u0d28\u0d4d\u200d",
        "\u0d30\u0d3e\u0d1c\u0d28\u0d4d\u200d \u0d28\u0d3e\u0d2f\u0d30\u0d4d\u200d",
        "\u0cb8\u0c82\u0ca6\u0cc0\u0caa\u0ccd\u200c",
        "\u0c30\u0c3e\u0c1c\u0c4d\u200c \u0c15\u0c41\u0c2e\u0c3e\u0c30\u0c4d\u200c",
        "\u09ac\u09be\u0995\u09cd\u200c",
        "\u1830\u1820\u1837\u180e\u1820",
        "Tom \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
)
def test_marks_that_belong_to_a_word_stay(name: str) -> None:
    assert clean_name(name, field="name", longest=80) == name
    assert printable(name, longest=80) == name


def test_every_name_that_people_type_is_tidied_likewise(in_app: None, cast: Cast) -> None:
    room, alice = cast.room(), actor_of(cast.user("alice"))
    described = describe_room(editable(room, alice), by=alice, room_name="\u200eBoard\ufeff")
    code = create_code(room=room, role=Role.GUEST, by=alice, code="\ufeffABCD-EFGH", label="Press\u200b")
    assert (described.room_name, code.code, code.label) == ("Board", "ABCD-EFGH", "Press")
    with pytest.raises(Invalid):
        create_code(room=room, role=Role.GUEST, by=alice, code="ABCD\u2212EFGH")


def test_lines_of_a_text_are_tidied_and_stay_lines() -> None:
    typed = " Two\u200b lines\r\nand\ta \u200ftab\n"
    assert clean_text(typed, field="description", longest=80) == "Two lines\nand\ta tab"


@pytest.mark.parametrize("typed", ["safe\u202egpj.exe", "one\ntw\u2066o", "a\x00b", "\u3164x", "x" * 81, "x" * 1000])
def test_texts_that_are_too_long_or_misleading_are_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_text(typed, field="description", longest=80)
    assert list(refused.value.fields) == ["description"]


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
