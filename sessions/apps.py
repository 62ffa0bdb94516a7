from django.apps import AppConfig


class SessionsConfig(AppConfig):
    """The label keeps clear of django.contrib.sessions, which owns the label `sessions`."""

    name = "sessions"
    label = "dlms_sessions"
    verbose_name = "DLMS sessions"
