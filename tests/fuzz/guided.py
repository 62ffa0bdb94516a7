"""One target under Atheris: `python -m tests.fuzz.guided <target> [libFuzzer options] <corpus>`. The process ends with it.

Nothing of the product may be imported before the instrumentation.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["meters.cosem", "sessions.dlms", "sessions.simulator"]):
    from tests.fuzz.targets import run


def main(name: str, options: list[str]) -> None:
    """Fuzz until the runs are done, or an input fails."""
    atheris.Setup([name, *options], lambda octets: run(name, octets))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
