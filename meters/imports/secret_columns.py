"""No key comes in through a table: columns that look like keys are left out before anything is stored or shown.

Keys have a way of their own, into the vault. A column is known by its heading, or by what its first rows hold; a single cell that
looks like a key makes its row faulty, and the cell is emptied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from meters.imports.table import Table, TableRow

LOOKED_AT = 200
"""Rows by which a column is judged."""
WORDS = re.compile(
    r"(?<![a-z])(keys?|secrets?|pass(word|wd|wort|phrase)s?|kennwort|pwd|pin|guek|gbek|gak|kek|ek|ak|lls|hls|llsec|hlsec|"
    r"schl(ü|ue)ssel|clé|clave|contrase(ñ|n)a|mot de passe|"
    r"(encryption|authentication|dedicated|signing|private|unicast|broadcast|global|master|auth|cipher)keys?)(?![a-z])"
)
KEY_LENGTHS = frozenset({32, 48, 64, 96, 128})
"""Hex digits of keys, public and private ones."""
HEX = re.compile(r"(?:0x)?([0-9A-Fa-f]+)")
SEPARATORS = str.maketrans("", "", " :-")
BY_HEADING = "It looks like a column of keys or passwords: they are not imported here, and nothing of it was kept."
BY_VALUES = "It holds what looks like keys: they are not imported here, and nothing of it was kept."
IN_A_CELL = "It looks like a key: keys are not imported here. It was not kept."


def is_secret_heading(heading: str) -> bool:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading).lower().replace("_", " ").replace("-", " ")
    return bool(WORDS.search(words))


def looks_like_a_key(cell: str) -> bool:
    """Octets of a key's length in hex, with separators or without, or a key in PEM. Decimal digits alone are a number."""
    if len(cell) < min(KEY_LENGTHS):
        return False
    if "-----BEGIN" in cell:
        return True
    found = HEX.fullmatch(cell.strip().translate(SEPARATORS))
    return bool(found) and len(found[1]) in KEY_LENGTHS and not found[1].isdecimal()  # type: ignore[index]


def without_secrets(table: Table) -> tuple[Table, dict[int, str]]:
    """The table with those columns emptied, and by their numbers why."""
    first = list(islice(table.rows, LOOKED_AT))
    left_out = {n: BY_HEADING for n, heading in enumerate(table.headings) if is_secret_heading(heading)}
    for column in range(len(table.headings)):
        cells = [row.cells[column] for row in first if row.cells[column].strip()]
        if column not in left_out and cells and 2 * sum(map(looks_like_a_key, cells)) > len(cells):
            left_out[column] = BY_VALUES
    return replace(table, rows=_emptied(chain(first, table.rows), frozenset(left_out))), left_out


def _emptied(rows: Iterable[TableRow], columns: frozenset[int]) -> Iterator[TableRow]:
    for row in rows:
        cells: Sequence[str] = row.cells
        if columns:
            cells = ["" if number in columns else cell for number, cell in enumerate(cells)]
        keys = [n for n, cell in enumerate(cells) if len(cell) >= 32 and looks_like_a_key(cell)]
        fault = row.fault
        if keys:
            cells = ["" if number in keys else cell for number, cell in enumerate(cells)]
            fault = fault or f"Column {keys[0] + 1}: {IN_A_CELL}"
        yield replace(row, cells=cells, fault=fault) if columns or keys else row
