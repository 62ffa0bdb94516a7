import stat

from workbench.environment import flag, listed, named_paths, secret_key, write_private


def test_flags_lists_and_named_paths_are_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("X_FLAG", " Yes ")
    monkeypatch.setenv("X_LIST", "a, b,,c ")
    monkeypatch.setenv("X_PORTS", "bench probe=/dev/serial/by-id/usb-1,/dev/ttyUSB3")
    assert flag("X_FLAG")
    assert not flag("X_MISSING")
    assert listed("X_LIST") == ["a", "b", "c"]
    assert listed("X_MISSING") == []
    assert named_paths("X_PORTS") == {"bench probe": "/dev/serial/by-id/usb-1", "ttyUSB3": "/dev/ttyUSB3"}


def test_a_private_file_is_readable_by_its_owner_alone_and_replaced_whole(tmp_path):
    path = tmp_path / "deep" / "secret"
    write_private(path, "one")
    write_private(path, "two")
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]


def test_the_secret_key_is_made_once_unless_the_environment_names_one(tmp_path, monkeypatch):
    monkeypatch.delenv("WORKBENCH_SECRET_KEY", raising=False)
    first = secret_key(tmp_path)
    assert len(first) >= 50
    assert secret_key(tmp_path) == first
    monkeypatch.setenv("WORKBENCH_SECRET_KEY", "given")
    assert secret_key(tmp_path) == "given"
