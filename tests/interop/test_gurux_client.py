"""The foreign client associates with our simulator over real sockets, and reads what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

pytest.importorskip("gurux_dlms")

from gurux_dlms import GXDateTime
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSDisconnectControl, GXDLMSProfileGeneric, GXDLMSRegister

from sessions.simulator.lab import LabLine
from tests.interop.peer import Peer, PeerError, associated
from tests.sessions.simulator.served import CLIENT_TITLE, DEDICATED, GMAC, LLS, lab_meter, lab_of, listening

pytestmark = pytest.mark.interop

ASSOCIATIONS: dict[str, dict[str, Any]] = {
    "public": {"client_sap": 16, "authentication": "none"},
    "lls": LLS,
    "hls-md5": {"client_sap": 2, "authentication": "hls-md5", "secret": "text:a secret of HLS"},
    "hls-sha1": {"client_sap": 3, "authentication": "hls-sha1", "secret": "text:a secret of HLS"},
    "hls-sha256": {
        "client_sap": 4,
        "authentication": "hls-sha256",
        "secret": "text:a secret of HLS",
        "client_system_title": CLIENT_TITLE,
    },
    "hls-gmac authenticated": {**GMAC, "protection": "authenticated"},
    "hls-gmac encrypted": {**GMAC, "protection": "encrypted"},
    "hls-gmac authenticated-encrypted": GMAC,
    "hls-gmac with a dedicated key": {**GMAC, "dedicated_key": DEDICATED},
    "lls authenticated-encrypted": {**GMAC, "client_sap": 5, "authentication": "lls", "secret": "text:12345678"},
}
SECURE = [name for name in ASSOCIATIONS if name != "public"]


@pytest.fixture(params=["wrapper", "hdlc"])
def announce(request, tmp_path) -> Iterator[Any]:
    """Gives the announcement of a meter that serves the association, on the line of the parameter."""
    running: list[Any] = []

    def start(name: str, **options: Any) -> dict[str, Any]:
        address = {"physical_address": 17} if request.param == "hdlc" else {}
        association = LLS if name == "public" else ASSOCIATIONS[name]
        meter = lab_meter(association, **address, **options)
        context = listening(lab_of(LabLine(kind=request.param, meters=(meter,))), tmp_path)
        running.append(context)
        announced = context.__enter__()[0]
        if name == "public":
            public = {
                key: announced["association"][key]
                for key in ("framing", "server_sap", "hdlc")
                if key in announced["association"]
            }
            announced["association"] = public | ASSOCIATIONS["public"]
        return announced

    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.mark.parametrize("name", ASSOCIATIONS)
def test_it_associates_and_reads_the_clock(announce, name):
    with associated(announce(name)) as peer:
        time = peer.read(GXDLMSClock("0.0.1.0.0.255"), 2)
    assert time.value.replace(tzinfo=None) == datetime(2026, 11, 25, 12)


@pytest.mark.parametrize("name", SECURE)
def test_it_reads_the_object_list_and_a_register(announce, name):
    with associated(announce(name, max_pdu_size=200)) as peer:
        objects = peer.objects()
        names = {str(each.logicalName): int(each.objectType) for each in objects}
        register = objects.findByLN(3, "1.0.1.8.0.255")
        scaler = peer.read(register, 3)
        value = peer.read(register, 2)
    assert names["1.0.99.1.0.255"] == 7
    assert names["0.0.96.3.10.255"] == 70
    assert len(names) >= 30
    assert scaler is not None
    assert value > 1_000_000
    assert register.unit.name == "ACTIVE_ENERGY"


@pytest.mark.parametrize("name", ["lls", "hls-gmac authenticated-encrypted"])
def test_it_reads_the_profile_by_entry_and_by_range(announce, name):
    with associated(announce(name, max_pdu_size=240)) as peer:
        profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
        peer.read(profile, 3)
        assert [str(column.logicalName) for column, _ in profile.captureObjects] == [
            "0.0.1.0.0.255",
            "0.0.96.10.1.255",
            "1.0.1.8.0.255",
            "1.0.2.8.0.255",
        ]
        by_entry = peer.rows(profile, peer.client.readRowsByEntry(profile, 1, 20))
        assert len(by_entry) == 20
        start, end = datetime(2026, 11, 24), datetime(2026, 11, 25)
        by_range = peer.rows(profile, peer.client.readRowsByRange(profile, start, end))
    assert len(by_range) >= 93
    energies = [row[2] for row in by_range]
    assert energies == sorted(energies)
    assert energies[-1] - energies[0] > 1000


def test_it_writes_the_clock_and_works_the_switch(announce):
    with associated(announce("hls-gmac authenticated-encrypted")) as peer:
        clock = GXDLMSClock("0.0.1.0.0.255")
        clock.time = GXDateTime(datetime(2026, 12, 24, 18, 0, 0))
        peer.exchange(peer.client.write(clock, 2))
        assert peer.read(clock, 2).value.day == 24
        switch = GXDLMSDisconnectControl("0.0.96.3.10.255")
        peer.exchange(switch.remoteDisconnect(peer.client))
        assert peer.read(switch, 2) is False
        peer.exchange(switch.remoteReconnect(peer.client))
        assert peer.read(switch, 2) is True


def test_a_list_of_attributes_in_one_request(announce):
    with associated(announce("lls")) as peer:
        wanted = [(GXDLMSData("0.0.96.1.0.255"), 2), (GXDLMSRegister("1.0.1.8.0.255"), 2)]
        reply = peer.exchange(peer.client.readList(wanted)[0])
        peer.client.updateValues(wanted, reply.value)
    assert bytes(wanted[0][0].value) == b"10000001"
    assert wanted[1][0].value > 1_000_000


def test_what_a_client_may_not_is_refused(announce):
    with associated(announce("public")) as peer, pytest.raises(PeerError):
        peer.read(GXDLMSRegister("1.0.1.8.0.255"), 2)


def test_a_wrong_password_is_refused(announce):
    announced = announce("lls")
    announced["association"]["secret"] = "text:87654321"
    peer = Peer(announced)
    with pytest.raises(Exception, match=r"(?i)authentication"):
        peer.open()
    peer.drop()
