"""`make bench`: how fast the pure parts are, as JSON. `python -m tests.bench rows hdlc` takes some parts, no name all of them."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version

from tests.bench import apdus, catalogs, ciphering, hdlc, imports, inventory, lab, rows, whole_session
from tests.bench.measure import RUNS, Figure

PARTS: dict[str, Callable[[], dict[str, Figure]]] = {
    "rows": rows.figures,
    "apdus": apdus.figures,
    "ciphering": ciphering.figures,
    "hdlc": hdlc.figures,
    "sessions": whole_session.figures,
    "lab": lab.figures,
    "inventory": inventory.figures,
    "catalogs": catalogs.figures,
    "imports": imports.figures,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="part", help=", ".join(PARTS))
    wanted = parser.parse_args().parts or list(PARTS)
    answer = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "gurux_dlms": version("gurux_dlms"),
        "runs": RUNS,
        "measure": "median, lowest and highest of the runs; rates by a second of CPU time, sessions by the clock on the wall",
        "figures": {name: PARTS[name]() for name in wanted},
    }
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


if __name__ == "__main__":
    main()
