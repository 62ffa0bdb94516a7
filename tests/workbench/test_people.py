import pytest
from django.contrib.auth import authenticate, get_user_model

from workbench.people import FIRST_USER, ensure_first_user

pytestmark = pytest.mark.django_db


def test_the_first_user_is_made_once_and_its_password_shown_until_it_changes(tmp_path):
    first = ensure_first_user(tmp_path)
    assert authenticate(username=first["username"], password=first["password"]) is not None
    assert ensure_first_user(tmp_path) == first
    assert (tmp_path / "first-sign-in").stat().st_mode & 0o077 == 0
    user = get_user_model().objects.get()
    user.set_password("another one entirely")
    user.save()
    assert first["password"] not in ensure_first_user(tmp_path)["password"]


def test_no_user_is_made_where_there_are_others(tmp_path):
    get_user_model().objects.create_user("somebody", password="something long")
    ensure_first_user(tmp_path)
    assert not get_user_model().objects.filter(username=FIRST_USER).exists()
