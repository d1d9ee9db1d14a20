"""Cells of CSV files: no spreadsheet takes a part of one for a formula, whatever it takes for a separator."""

import csv
import io

import pytest

from portal.web.csv_export import cell


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        *((text, f"'{text}") for text in ("=1", "+1", "-1", "@x", " =1", "＝1", "\tx", "\rx", "\n x")),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n@x", "'\n'@x"),
        ("a;=1+1", "a;'=1+1"),
        ("a; -1;b;+2", "a;' -1;b;'+2"),
        ("a\t=1", "a\t'=1"),
        ("a\n@x", "a\n'@x"),
        ('a;"=1"', 'a;\'"=1"'),
        ("a;＝1", "a;'＝1"),
    ],
)
def test_what_could_be_a_formula_is_made_a_text(text: str, kept: str) -> None:
    assert cell(text) == kept


@pytest.mark.parametrize("text", ["Fay", "a=b", "Jean-Luc", "", "2026-11-25 10:00:00", "a;b=c", "a, -1", "x;;y"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("typed", ["=1", "a;=1", 'a;"=1', 'a";=1', "a\t=1", 'a;""=1', "a\n=1", '";=1', "x;'=1"])
def test_no_spreadsheet_finds_a_formula_whatever_it_takes_for_a_separator(separator: str, typed: str) -> None:
    line = io.StringIO()
    csv.writer(line).writerow(["first", cell(typed), "last"])
    for row in csv.reader(io.StringIO(line.getvalue()), delimiter=separator):
        assert not [one for one in row if one.lstrip('" ').startswith("=")], row


def test_a_name_reads_in_a_table_as_it_was_typed() -> None:
    assert cell("Member \u2068יעל\u2069") == "Member יעל"
