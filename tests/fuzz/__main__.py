"""`make fuzz`: Atheris on each target, guided by coverage and seeded by the vectors and the captures; prints JSON.

Each target runs in a process of its own. An input that ends in anything but an answer or a typed error, that takes longer
than a few seconds or more than 2 GB stops its target, is kept in the folder of findings, and makes the command fail. Which input
takes longest is searched afterwards, without instrumentation, from all that were kept (`slowest`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.fuzz.seeds import MAX_OCTETS, seeds
from tests.fuzz.slowest import figures
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
FINDINGS = ROOT / "var" / "fuzz"
RUNS = 1_000_000
SECONDS_FOR_ONE = 5
SECONDS_OF_SEARCH = 10
EXECUTED = re.compile(r"number_of_executed_units:\s*(\d+)")
COVERAGE = re.compile(r"cov: (\d+)")


def fuzz(name: str, runs: int) -> dict[str, Any]:
    """One target in a child; what came of it."""
    findings = FINDINGS / name
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for octets in seeds():
            (Path(corpus) / hashlib.sha256(octets).hexdigest()[:16]).write_bytes(octets)
        options = {
            "runs": runs,
            "max_len": MAX_OCTETS,
            "timeout": SECONDS_FOR_ONE,
            "rss_limit_mb": 2048,
            "artifact_prefix": f"{findings}/",
            "print_final_stats": 1,
        }
        command = [sys.executable, "-m", "tests.fuzz.guided", name]
        command += [f"-{option}={value}" for option, value in options.items()]
        begin = time.monotonic()
        done = subprocess.run([*command, corpus], cwd=ROOT, capture_output=True, text=True, errors="replace")
        seconds = round(time.monotonic() - begin)
        kept = [path.read_bytes() for path in Path(corpus).iterdir()]
    said = done.stderr + done.stdout
    return {
        "inputs": _last(EXECUTED, said),
        "seconds": seconds,
        "slowest": figures(name, SECONDS_OF_SEARCH, kept) if done.returncode == 0 else None,
        "coverage": _last(COVERAGE, said),
        "finding": None if done.returncode == 0 else said[-2000:],
    }


def _last(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.findall(text)
    return int(found[-1]) if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="target", help=", ".join(TARGETS))
    parser.add_argument("--runs", type=int, default=RUNS, help=f"inputs a target (default {RUNS})")
    parser.add_argument("--jobs", type=int, default=1, help="targets at the same time")
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    if unknown := set(names) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = dict(zip(names, pool.map(lambda name: fuzz(name, options.runs), names), strict=True))
    sys.stdout.write(json.dumps({"seeds": len(seeds()), "targets": outcomes}, indent=2) + "\n")
    return int(any(outcome["finding"] for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
