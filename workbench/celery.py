"""The Celery application. A message is only a doorbell: the database owns every job (see sessions.services)."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workbench.settings")

app = Celery("workbench")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery's current app is thread-local: without this a task rung from a Daphne thread would go to a default broker.
app.set_default()
