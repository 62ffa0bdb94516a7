from django.apps import AppConfig


class WorkbenchConfig(AppConfig):
    name = "workbench"
    verbose_name = "Workbench"

    def ready(self) -> None:
        # Celery's current app is thread-local: bind it in every process that loads Django.
        from workbench.celery import app

        app.set_default()
