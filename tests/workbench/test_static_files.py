import re

from django.core.management import call_command


def test_a_server_collects_hashed_files_and_its_modules_follow(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "workbench.static_files.CollectedStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    (session,) = tmp_path.glob("js/session.????????????.js")
    imports = re.findall(r'from "\./([^"]+)"', session.read_text())
    assert imports
    for name in imports:
        assert re.fullmatch(r"\w+\.[0-9a-f]{12}\.js", name)
        assert (tmp_path / "js" / name).is_file()
    assert (tmp_path / "staticfiles.json").is_file()
