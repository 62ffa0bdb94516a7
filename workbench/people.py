"""People: the first user. Teams and roles come with the key vault."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.contrib.auth import get_user_model

from workbench.environment import write_private

FIRST_USER = "technician"
# Letters and digits that are not mistaken for one another on a printed line.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def ensure_first_user(data_dir: Path) -> dict[str, str]:
    """Create the first user once; its password is kept beside the data until somebody changes it.

    Returns username and password; where the password was changed since, words instead of it.
    """
    users = get_user_model()
    path = data_dir / "first-sign-in"
    user = users._default_manager.filter(username=FIRST_USER).first()
    if user is None:
        if users._default_manager.exists():
            return {"username": "your own user", "password": "(yours)"}
        password = "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))
        write_private(path, f"{password}\n")
        users._default_manager.create_superuser(FIRST_USER, password=password)
        return {"username": FIRST_USER, "password": password}
    kept = path.read_text().strip() if path.exists() else ""
    if kept and user.check_password(kept):
        return {"username": FIRST_USER, "password": kept}
    return {
        "username": FIRST_USER,
        "password": "(changed; `manage.py changepassword technician` helps)",
    }
