import io
import json

import pytest
from django.core.management import call_command

from meters import vault
from meters.models import DataKey

pytestmark = pytest.mark.django_db


def prepare(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    output = io.StringIO()
    call_command("prepare", stdout=output)
    return json.loads(output.getvalue().splitlines()[-1])


def test_the_first_run_makes_a_user_and_a_master_key_for_its_owner_alone(settings, tmp_path):
    settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", tmp_path / "master.key"
    sign_in = prepare(settings, tmp_path)
    assert sign_in["username"] == "technician"
    assert settings.MASTER_KEY_FILE.stat().st_mode & 0o077 == 0
    key = settings.MASTER_KEY_FILE.read_text()
    assert prepare(settings, tmp_path) == sign_in
    assert settings.MASTER_KEY_FILE.read_text() == key
    assert vault.is_open()


def test_a_lost_master_key_is_not_replaced_by_a_new_one(settings, tmp_path):
    settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", tmp_path / "master.key"
    prepare(settings, tmp_path)
    vault.seal(b"secret", ("table", 1, "column"))
    assert DataKey.objects.exists()
    settings.MASTER_KEY_FILE.unlink()
    prepare(settings, tmp_path)
    assert not settings.MASTER_KEY_FILE.exists()
    assert not vault.is_open()


def test_a_key_from_the_environment_needs_no_file(settings, tmp_path):
    settings.MASTER_KEY_FILE = tmp_path / "master.key"
    prepare(settings, tmp_path)
    assert not settings.MASTER_KEY_FILE.exists()
