from collections.abc import Iterator

import pytest

from portal import vault
from tests.servers import SECRET_KEY

OLD, NEW = "an-old-key-long enough to be one of them", "a-new-key-long enough to be one of them"


@pytest.fixture(autouse=True)
def _own_keys() -> Iterator[None]:
    yield
    vault.use((SECRET_KEY,))


def test_what_is_sealed_under_an_older_key_still_opens_and_is_still_found() -> None:
    vault.use((OLD,))
    sealed, found = vault.seal("rt_secret", purpose="p"), vault.lookup_hash("rt_secret", purpose="p")
    vault.use((NEW, OLD))
    assert vault.unseal(sealed, purpose="p") == "rt_secret"
    assert found in vault.lookup_hashes("rt_secret", purpose="p")
    assert vault.lookup_hash("rt_secret", purpose="p") != found


def test_one_purpose_does_not_open_another() -> None:
    vault.use((NEW,))
    with pytest.raises(vault.Tampered):
        vault.unseal(vault.seal("x", purpose="one"), purpose="another")
    assert vault.lookup_hash("x", purpose="one") != vault.lookup_hash("x", purpose="another")


def test_a_key_that_was_taken_out_opens_nothing() -> None:
    vault.use((OLD,))
    sealed = vault.seal("x", purpose="p")
    vault.use((NEW,))
    with pytest.raises(vault.Tampered):
        vault.unseal(sealed, purpose="p")
