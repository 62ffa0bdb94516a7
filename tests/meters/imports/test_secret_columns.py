"""No key comes in through a table."""

from __future__ import annotations

import pytest

from meters.imports.columns import COLUMNS
from meters.imports.mapping import guess
from meters.imports.secret_columns import is_secret_heading, looks_like_a_key, without_secrets
from meters.imports.text_table import read_text

KEY = "000102030405060708090A0B0C0D0E0F"


HEADINGS = """GUEK, guek, GAK, KEK, Key, Keys, Master key, master_key, EncryptionKey, encryptionkey, Block cipher key, AuthKey,
BlockCipherKey, auth-key, Global Key, globalkey, Password, passwd, LLS password, LLS, HLS secret, secret, PIN, Passwort,
Schlüssel, Schluessel, mot de passe, contraseña, Dedicated key, EK, AK, Key 1"""


@pytest.mark.parametrize("heading", [heading.strip() for heading in HEADINGS.split(",")])
def test_headings_of_keys(heading: str) -> None:
    assert is_secret_heading(heading)


@pytest.mark.parametrize("column", [column for column in COLUMNS if column.key != "fresh_dedicated_key"])
def test_our_own_columns_are_none(column) -> None:
    for heading in (column.words, column.key, *column.synonyms):
        assert not is_secret_heading(heading), heading


@pytest.mark.parametrize(
    "heading", ["", "Monkey", "Keyword", "Turkey", "Authentication level", "Spin", "Glossary", "Passage"]
)
def test_other_words_are_none(heading: str) -> None:
    assert not is_secret_heading(heading)


@pytest.mark.parametrize(
    "cell", [KEY, KEY.lower(), f"0x{KEY}", " ".join(KEY[n : n + 2] for n in range(0, 32, 2)), KEY * 2, KEY * 3, KEY + KEY[:16],
             "-----BEGIN PRIVATE KEY-----\nMC4CAQ"],
)  # fmt: skip
def test_what_looks_like_a_key(cell: str) -> None:
    assert looks_like_a_key(cell)


@pytest.mark.parametrize(
    "cell", ["", "4d4b520000bc614e", KEY[:-1], KEY + "0", "1" * 32, "a long note about a shelf in the cellar"]
)
def test_what_does_not(cell: str) -> None:
    assert not looks_like_a_key(cell)


def test_a_column_by_its_heading_is_emptied() -> None:
    table, left_out = without_secrets(read_text(f"Serial,GUEK,Name\n1,{KEY},x\n2,secret-text,y\n".encode()))
    assert [list(row.cells) for row in table.rows] == [["1", "", "x"], ["2", "", "y"]]
    assert list(left_out) == [1]
    assert guess(table.headings, left_out) == {"serial_number": 0, "name": 2}


def test_a_column_by_what_it_holds_is_emptied() -> None:
    rows = "".join(f"{n},{KEY[:-2]}{n:02},x\n" for n in range(10, 99))
    table, left_out = without_secrets(read_text(f"Serial,Location,Name\n{rows}9,,z".encode()))
    assert "keys" in left_out[1]
    assert all(row.cells[1] == "" and not row.fault for row in table.rows)


def test_a_single_cell_makes_its_row_faulty_and_is_emptied() -> None:
    rows = "".join(f"{n},shelf,x\n" for n in range(300))
    table, left_out = without_secrets(read_text(f"Serial,Location,Name\n{rows}999,{KEY},x".encode()))
    *others, last = table.rows
    assert left_out == {}
    assert not any(row.fault for row in others)
    assert list(last.cells) == ["999", "", "x"]
    assert "Column 2: It looks like a key" in last.fault
