"""Vendor the browser libraries: exact versions, verified twice, no build step.

    python static/vendor.py            fetch what `PACKAGES` names (through `npm pack`) and write the files and the lock
    python static/vendor.py --from DIR the same from tarballs that are already in DIR
    python static/vendor.py --check    compare the committed files with the lock (the test suite does this too)

The lock (`static/vendor/vendor.lock.json`) holds the sha512 of each tarball, as the registry states it, and the sha384
of each extracted file. A tarball whose sha512 differs from the lock is refused: remove its entry to change a version.
`sourceMappingURL` comments are stripped: hashed static files would refuse the missing map.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parent / "vendor"
LOCK = VENDOR / "vendor.lock.json"

PACKAGES: dict[str, tuple[str, dict[str, str]]] = {
    "@fontsource-variable/inter": (
        "5.3.0",
        {
            "LICENSE": "LICENSE",
            "files/inter-latin-wght-normal.woff2": "inter-latin-wght-normal.woff2",
        },
    ),
    "@fontsource-variable/jetbrains-mono": (
        "5.3.0",
        {
            "LICENSE": "LICENSE",
            "files/jetbrains-mono-latin-wght-normal.woff2": "jetbrains-mono-latin-wght-normal.woff2",
        },
    ),
    "@tabler/core": (
        "1.6.1",
        {
            "dist/css/tabler.min.css": "tabler.min.css",
        },
    ),
    "@tabler/icons": (
        "3.52.0",
        {
            "LICENSE": "LICENSE",
        },
    ),
    "uplot": (
        "1.6.32",
        {
            "LICENSE": "LICENSE",
            "dist/uPlot.iife.min.js": "uPlot.iife.min.js",
            "dist/uPlot.min.css": "uPlot.min.css",
        },
    ),
}
"""Package -> (exact version, file in the package -> file in `static/vendor/<package>-<version>/`)."""

ICONS = [
    "activity",
    "alert-circle",
    "alert-triangle",
    "arrow-left",
    "arrow-right",
    "arrows-maximize",
    "binary-tree",
    "chart-line",
    "check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "circle-check",
    "circle-dashed",
    "circle-x",
    "clock",
    "copy",
    "device-desktop",
    "download",
    "eye",
    "filter",
    "gauge",
    "hash",
    "help",
    "key",
    "keyboard",
    "link",
    "list-details",
    "list-tree",
    "loader-2",
    "lock",
    "logout",
    "menu-2",
    "moon",
    "network",
    "pencil",
    "player-pause",
    "player-play",
    "player-stop",
    "plug",
    "plug-connected",
    "plus",
    "refresh",
    "router",
    "search",
    "stairs-up",
    "sun",
    "table",
    "terminal-2",
    "trash",
    "usb",
    "user",
    "x",
]
"""Outline icons of the sprite `static/vendor/tabler-icons-<version>/sprite.svg`, used as `<use href="…#name">`."""

SOURCE_MAP = re.compile(rb"\n?(/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S*)\s*$")


def integrity(octets: bytes, algorithm: str) -> str:
    """A subresource-integrity string, such as `sha384-…`."""
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, octets).digest()).decode()}"


def folder(package: str, version: str) -> str:
    """`@tabler/core` 1.6.1 -> `tabler-core-1.6.1`."""
    return f"{package.lstrip('@').replace('/', '-')}-{version}"


def fetch(package: str, version: str, into: Path) -> Path:
    """Let npm download the tarball (npm itself verifies what the registry states)."""
    subprocess.run(["npm", "pack", f"{package}@{version}", "--silent"], cwd=into, check=True, stdout=subprocess.PIPE)
    return into / f"{folder(package, version)}.tgz"


def icon_sprite(tarball: tarfile.TarFile) -> bytes:
    """One SVG of symbols, so that a page needs one request for all its icons."""
    symbols = []
    for name in ICONS:
        member = tarball.extractfile(f"package/icons/outline/{name}.svg")
        if member is None:
            raise SystemExit(f"no icon {name}")
        body = re.sub(r"^.*?<svg[^>]*>|</svg>\s*$|<path stroke=\"none\"[^>]*/>", "", member.read().decode(), flags=re.S)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(body.split())}</symbol>')
    return ('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n").encode()


def extract(package: str, version: str, path: Path) -> dict[str, bytes]:
    """The wanted files of one tarball, source map comments stripped."""
    files = {}
    with tarfile.open(path) as tarball:
        for source, target in PACKAGES[package][1].items():
            member = tarball.extractfile(f"package/{source}")
            if member is None:
                raise SystemExit(f"{package}@{version} has no {source}")
            files[target] = SOURCE_MAP.sub(b"\n", member.read())
        if package == "@tabler/icons":
            files["sprite.svg"] = icon_sprite(tarball)
    return files


def vendor(tarballs: Path | None) -> None:
    """Write every file and the lock."""
    before = json.loads(LOCK.read_text()) if LOCK.exists() else {}
    lock = {}
    with tempfile.TemporaryDirectory() as temporary:
        for package, (version, _) in PACKAGES.items():
            name = folder(package, version)
            path = tarballs / f"{name}.tgz" if tarballs else fetch(package, version, Path(temporary))
            digest = integrity(path.read_bytes(), "sha512")
            known = before.get(name, {}).get("tarball", digest)
            if known != digest:
                raise SystemExit(f"{name}: the tarball is {digest}, the lock says {known}")
            files = extract(package, version, path)
            for target, octets in files.items():
                (VENDOR / name).mkdir(parents=True, exist_ok=True)
                (VENDOR / name / target).write_bytes(octets)
            lock[name] = {
                "package": package,
                "version": version,
                "tarball": digest,
                "files": {target: integrity(octets, "sha384") for target, octets in sorted(files.items())},
            }
    LOCK.write_text(json.dumps(lock, indent=2) + "\n")


def check() -> list[str]:
    """What differs between the lock and the files on disk."""
    lock = json.loads(LOCK.read_text())
    expected = {f"{name}/{target}": digest for name, entry in lock.items() for target, digest in entry["files"].items()}
    found = {
        str(path.relative_to(VENDOR)): integrity(path.read_bytes(), "sha384")
        for path in VENDOR.rglob("*")
        if path.is_file() and path.parent != VENDOR
    }
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def main() -> int:
    parser = argparse.ArgumentParser(description="Vendor the browser libraries.")
    parser.add_argument("--from", dest="tarballs", type=Path, help="a folder with the tarballs")
    parser.add_argument("--check", action="store_true", help="compare the files with the lock")
    options = parser.parse_args()
    if not options.check:
        vendor(options.tarballs)
    different = check()
    sys.stderr.write("".join(f"differs from the lock: {name}\n" for name in different))
    return 1 if different else 0


if __name__ == "__main__":
    raise SystemExit(main())
