"""What waits to be sent and is a secret stands sealed in the step's row."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.utils import timezone

from meters import vault
from sessions.parameters import holds_secret, without_secret

ERROR = {
    "layer": "workbench",
    "code": "secret-gone",
    "message": "The secret of this step could not be sealed when the workbench was updated, and was erased.",
    "hint": "Enter it again in a new session.",
}


def seal_secrets(apps: Any, schema_editor: Any) -> None:
    """Seal what waits in clear, and erase what is not needed any more; where the vault is sealed, the step is cancelled."""
    steps = apps.get_model("dlms_sessions", "Step").objects
    for step in steps.filter(kind__in=("WRITE", "INVOKE")).iterator():
        octets = step.parameters.get("octets")
        if not octets or not holds_secret(step.parameters):
            continue
        changes: dict[str, Any] = {"parameters": without_secret(step.parameters)}
        if step.state in ("WAITING", "RUNNING"):
            try:
                changes["sealed"] = vault.seal(bytes.fromhex(octets), ("dlms_sessions_step", step.pk, "sealed"))
            except vault.VaultError:
                state = "CANCELLED" if step.state == "WAITING" else "UNCERTAIN"
                changes |= {"state": state, "error": ERROR, "ended": timezone.now()}
        steps.filter(pk=step.pk).update(**changes)


class Migration(migrations.Migration):
    dependencies = [
        ("dlms_sessions", "0001_initial"),
        ("meters", "0007_reverse_deviation"),
    ]

    operations = [
        migrations.AddField(
            model_name="step",
            name="sealed",
            field=models.BinaryField(
                blank=True, help_text="Sealed: the secret that is to be sent, until the step has ended.", null=True
            ),
        ),
        migrations.RunPython(seal_secrets, migrations.RunPython.noop),
    ]
