"""`prepare`: migrations, the master key, the first user and the demo inventory. The last line is JSON for the launcher."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from meters.models import DataKey
from meters.vault import ensure_master_key
from workbench.people import ensure_first_user


class Command(BaseCommand):
    help = "Apply migrations, create the first user and, with --lab, the inventory of the simulated meters."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--lab", metavar="FILE", help="the JSON that `simulate` announced")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=1)
        # A database that has a data key was sealed with a master key: a new one would open nothing and only hide the loss.
        if not settings.MASTER_KEY and not DataKey.objects.exists():
            ensure_master_key(settings.MASTER_KEY_FILE)
        if options["lab"]:
            call_command("load_demo", options["lab"])
        sign_in = ensure_first_user(settings.DATA_DIR)
        self.stdout.write(json.dumps(sign_in))
