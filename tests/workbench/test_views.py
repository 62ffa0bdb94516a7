import pytest

pytestmark = pytest.mark.django_db


def test_health_answers_without_sign_in(client):
    answer = client.get("/health/")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_home_leads_to_the_sign_in_and_then_to_the_meters(client, django_user_model):
    assert client.get("/").url.startswith("/accounts/login/")
    client.force_login(django_user_model.objects.create_user("somebody"))
    assert client.get("/").url == "/meters/"


def test_every_answer_carries_a_policy_without_inline_script(client):
    policy = client.get("/accounts/login/").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
