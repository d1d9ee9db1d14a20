import pytest

from portal.customers.currencies import checked_currency, digits_of
from portal.errors import Invalid


def test_a_currency_is_found_in_whatever_case_it_is_written() -> None:
    assert [checked_currency(code) for code in ("EUR", " usd ", "Xof")] == ["EUR", "USD", "XOF"]


@pytest.mark.parametrize("code", ["", "EURO", "ZZZ", "XXX", "DEM", "€", "12 "])
def test_what_nobody_pays_with_now_is_refused_beside_the_field(code: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_currency(code)
    assert set(refused.value.fields) == {"currency"}


def test_currencies_have_as_many_digits_as_they_have() -> None:
    assert [digits_of(code) for code in ("JPY", "EUR", "KWD")] == [0, 2, 3]
