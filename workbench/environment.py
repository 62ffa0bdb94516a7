"""What the settings take from the environment and from the data directory."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

DEFAULT_SERIAL_DEVICES = [f"/dev/{name}*" for name in ("serial/by-id/", "ttyUSB", "ttyACM", "ttyAMA", "ttyS")]
"""What the administrator's serial ports may lead to, where nothing else is said."""


def flag(name: str) -> bool:
    """Whether the variable is set to something that means yes."""
    return os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"}


def listed(name: str) -> list[str]:
    """The variable's comma-separated parts."""
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def named_paths(name: str) -> dict[str, str]:
    """The variable's comma-separated `name=path` pairs; a path alone names itself by its last part."""
    pairs: dict[str, str] = {}
    for part in listed(name):
        label, _, path = part.rpartition("=")
        pairs[label.strip() or Path(path).name] = path.strip()
    return pairs


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def secret_key(data_dir: Path) -> str:
    """Django's secret key: from the environment, else made once and kept in the data directory."""
    given = os.environ.get("WORKBENCH_SECRET_KEY")
    if given:
        return given
    path = data_dir / "secret.key"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(64))
    return path.read_text().strip()
