"""The Django project: settings, urls, asgi, celery, the one-command launcher; people, roles and audit."""

from workbench.celery import app as celery_app

__all__ = ["celery_app"]
