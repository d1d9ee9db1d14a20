import pytest

from portal.errors import Invalid
from portal.rooms.slugs import checked_slug, slug_of


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Business Meeting", "business-meeting"),
        ("Réunion du 3 mai!", "reunion-du-3-mai"),
        ("  --  ", "room"),
        ("会議", "room"),
        ("x" * 200, "x" * 80),
    ],
)
def test_a_slug_follows_the_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug
    assert checked_slug(slug) == slug


@pytest.mark.parametrize("slug", ["", "-", "A", "a--b", "a/b", "a b", "ü", "../x", "a" * 81])
def test_a_slug_that_is_none_is_refused(slug: str) -> None:
    with pytest.raises(Invalid):
        checked_slug(slug)
