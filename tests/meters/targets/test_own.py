"""The workbench's own services, as the settings name them."""

from __future__ import annotations

from ipaddress import ip_address
from types import SimpleNamespace

import pytest

from meters.targets import own
from meters.targets.own import is_own_name, own_endpoints, own_services


@pytest.fixture(autouse=True)
def settings(monkeypatch) -> SimpleNamespace:
    named = SimpleNamespace()
    named.DATABASES = {
        "default": {"ENGINE": "django.db.backends.postgresql", "HOST": "db", "PORT": ""},
        "files": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"},
        "socket": {"ENGINE": "django.db.backends.postgresql", "HOST": "/run/postgresql"},
    }
    named.REDIS_URL = "redis://:secret@10.0.0.9:6380/0"
    named.OWN_SERVICES = ["0.0.0.0:8000", "[fd00::7]:9000"]
    monkeypatch.setattr(own, "settings", named)
    return named


def test_host_and_port_of_each() -> None:
    assert own_endpoints() == [("db", 5432), ("10.0.0.9", 6380), ("0.0.0.0", 8000), ("fd00::7", 9000)]


def test_their_names() -> None:
    assert is_own_name("DB", 5432)
    assert not is_own_name("db", 4059)
    assert not is_own_name("meter", 5432)


def test_their_addresses() -> None:
    found = own_services()
    assert found.include(ip_address("10.0.0.9"), 6380)
    assert found.include(ip_address("fd00::7"), 9000)
    assert found.include(ip_address("127.0.0.1"), 8000)
    assert not found.include(ip_address("127.0.0.1"), 9000)
    assert not found.include(ip_address("10.0.0.9"), 4059)


def test_a_worker_also_knows_what_their_names_mean(monkeypatch) -> None:
    answer = [(2, 1, 6, "", ("172.18.0.3", 0)), (10, 1, 6, "", ("fe80::1%eth0", 0, 0, 2))]
    monkeypatch.setattr(own.socket, "getaddrinfo", lambda *args, **kwargs: answer)
    assert own_services(look_up=True).include(ip_address("172.18.0.3"), 5432)
    assert not own_services().include(ip_address("172.18.0.3"), 5432)


def test_a_name_that_means_nothing_now(monkeypatch) -> None:
    def unknown(*args, **kwargs):
        raise OSError("no such name")

    monkeypatch.setattr(own.socket, "getaddrinfo", unknown)
    assert not own_services(look_up=True).include(ip_address("172.18.0.3"), 5432)


FIB_TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 192.168.1.0/24 2 0 2
        |-- 192.168.1.2
           /32 host LOCAL
        |-- 192.168.1.255
           /32 link BROADCAST
"""


def test_every_address_of_this_machine_is_here(monkeypatch, tmp_path) -> None:
    (tmp_path / "fib").write_text(FIB_TRIE)
    (tmp_path / "if").write_text("fd000000000000000000000000000002 02 40 00 80 eth0\n")
    monkeypatch.setattr(own, "IPV4_TABLE", tmp_path / "fib")
    monkeypatch.setattr(own, "IPV6_TABLE", tmp_path / "if")
    found = own_services()
    assert found.include(ip_address("192.168.1.2"), 8000)
    assert found.include(ip_address("fd00::2"), 8000)
    assert not found.include(ip_address("192.168.1.255"), 8000)


def test_where_linux_tells_nothing_loopback_is_here(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(own, "IPV4_TABLE", tmp_path / "none")
    assert own_services().include(ip_address("127.0.0.1"), 8000)


def test_localhost_is_both_loopbacks(settings) -> None:
    settings.OWN_SERVICES = ["localhost:7000"]
    found = own_services()
    assert found.include(ip_address("::1"), 7000)
    assert found.include(ip_address("127.0.0.9"), 7000)
