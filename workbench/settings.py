"""Settings. Embedded defaults need nothing; the environment names a real database, broker and keys.

WORKBENCH_DATA_DIR     where everything that lasts lives (default: var/ beside manage.py)
DATABASE_URL           postgres://user:password@host/name (default: SQLite in the data directory)
REDIS_URL              redis://host:6379/0 (default: the socket of the embedded broker in the data directory)
WORKBENCH_SECRET_KEY   Django's secret key (default: made once, kept in the data directory)
WORKBENCH_MASTER_KEY   hex of the vault's 32-octet master key, or WORKBENCH_MASTER_KEY_FILE names a file with it
WORKBENCH_SERIAL_PORTS name=/dev/…, separated by commas: the serial ports that technicians may choose from
WORKBENCH_SERIAL_DEVICES  patterns of devices, separated by commas, to which those ports may lead (default: /dev/ttyUSB* …)
WORKBENCH_OWN_SERVICES host:port, separated by commas: services of this installation that no line may lead to, beside the
                       database and the broker
WORKBENCH_IMPORT_MAX_MB, WORKBENCH_IMPORT_MAX_ROWS   the largest table that is imported (default: 20 MB, 200000 rows)
WORKBENCH_ALLOWED_HOSTS, WORKBENCH_TRUSTED_ORIGINS   comma-separated, for a server that others reach
WORKBENCH_PROXIES      how many proxies of ours every request passes; their X-Forwarded-For says who asks (default: 0)
WORKBENCH_DEBUG        1 turns Django's debug pages on (never where real keys are)
WORKBENCH_HTTPS        1 behind TLS: secure cookies, HSTS, redirect
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONCE, NONE, SELF

from workbench.environment import DEFAULT_SERIAL_DEVICES, flag, listed, named_paths, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("WORKBENCH_DATA_DIR", BASE_DIR / "var")).resolve()

DEBUG = flag("WORKBENCH_DEBUG")
SECRET_KEY = secret_key(DATA_DIR)
ALLOWED_HOSTS = listed("WORKBENCH_ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = listed("WORKBENCH_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "daphne",
    "workbench.apps.WorkbenchConfig",
    "meters.apps.MetersConfig",
    "sessions.apps.SessionsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "csp",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "template_partials",
]

MIDDLEWARE = [
    "workbench.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "workbench.urls"
ASGI_APPLICATION = "workbench.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
DJANGO_TABLES2_TEMPLATE = "django_tables2/bootstrap5.html"

# --- the database: SQLite tuned for several processes, or whatever DATABASE_URL names ---------------------------------

SQLITE_OPTIONS: dict[str, Any] = {
    # A deferred transaction that later writes fails with "database is locked" beside other writers; IMMEDIATE waits.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL: a power cut must not drop a committed intent or a reserved invocation counter.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
}
DATABASES = {
    "default": dj_database_url.config(default=f"sqlite:///{DATA_DIR / 'workbench.sqlite3'}", conn_health_checks=True)
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- broker and channel layer: one Redis (or Valkey), ours or theirs --------------------------------------------------

REDIS_URL = os.environ.get("REDIS_URL", "")
BROKER_SOCKET = Path(os.environ.get("WORKBENCH_BROKER_SOCKET", DATA_DIR / "run" / "broker.sock"))
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    channel_host: dict[str, Any] = {"address": REDIS_URL}
else:
    CELERY_BROKER_URL = f"redis+socket://{BROKER_SOCKET}?virtual_host=0"
    channel_host = {"address": f"unix://{BROKER_SOCKET}?db=1"}
# redis-py 8 sets a socket timeout of 5 s, which would end every idle websocket.
channel_host["socket_timeout"] = None
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [channel_host], "prefix": "workbench"},
    }
}

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "interactive"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 3.0
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# kombu gives messages of a dead worker back after visibility_timeout plus interval times throttle; the watchdog rings
# again long before, so the timeout is long: a task that outlasts it would be started a second time.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 12 * 3600,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
}

# --- people -----------------------------------------------------------------------------------------------------------

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Who may use the API: the apps know scopes only, this function knows the tokens.
API_AUTHENTICATION = "workbench.tokens.authenticate"
PROXIES = int(os.environ.get("WORKBENCH_PROXIES") or 0)

# --- security ---------------------------------------------------------------------------------------------------------

HTTPS = flag("WORKBENCH_HTTPS")
SESSION_COOKIE_NAME = "workbench_session"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- the vault and the lines ------------------------------------------------------------------------------------------

MASTER_KEY = os.environ.get("WORKBENCH_MASTER_KEY", "")
MASTER_KEY_FILE = Path(os.environ.get("WORKBENCH_MASTER_KEY_FILE", DATA_DIR / "master.key"))
# The only serial ports that can be opened: technicians choose a name, never a path.
SERIAL_PORTS = named_paths("WORKBENCH_SERIAL_PORTS")
# What they may lead to in the end, links followed: a list that names a file or the memory opens nothing.
SERIAL_DEVICES = listed("WORKBENCH_SERIAL_DEVICES") or DEFAULT_SERIAL_DEVICES
# Host and port of what listens here and is no meter: no rule of the list of allowed targets makes it one.
OWN_SERVICES = listed("WORKBENCH_OWN_SERVICES")

# --- imports ----------------------------------------------------------------------------------------------------------

IMPORT_MAX_OCTETS = int(os.environ.get("WORKBENCH_IMPORT_MAX_MB", "20")) * 1_000_000
IMPORT_MAX_ROWS = int(os.environ.get("WORKBENCH_IMPORT_MAX_ROWS", "200000"))

# --- pages ------------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = os.environ.get("TZ", "UTC") or "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "static/"
STATIC_ROOT = os.environ.get("WORKBENCH_STATIC_ROOT")
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Without collectstatic the files are served straight from the finders; a server image collects and compresses them.
WHITENOISE_USE_FINDERS = True
if flag("WORKBENCH_COLLECTED"):
    WHITENOISE_USE_FINDERS = False
    STORAGES["staticfiles"] = {"BACKEND": "workbench.static_files.CollectedStaticFilesStorage"}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("WORKBENCH_LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "django.channels.server": {"level": "WARNING"},
    },
}
