"""The foreign client reads the object lists of meters that were made from its own tool's device files."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("gurux_dlms")

from sessions.simulator.gxc import gxc_lab
from tests.interop.peer import associated
from tests.interop.test_gurux_short_names import ShortNamePeer
from tests.meters.test_gxc import FILES, read_gxc
from tests.sessions.simulator.served import HandClock, listening

pytestmark = pytest.mark.interop

PUBLISHED = sorted(FILES.glob("*.gxc")) if FILES.is_dir() else []
UNKNOWN_TO_THE_PEER = {62, 73, 8192}
"""Compact data, wireless mode Q channel and the Italian tariff plan: the peer leaves them out of the list that it was given."""


@pytest.mark.parametrize("path", PUBLISHED, ids=[path.stem for path in PUBLISHED])
def test_the_peer_finds_the_objects_of_the_file(path: Path, tmp_path: Path) -> None:
    (device,) = read_gxc(path.read_bytes())
    with listening(gxc_lab(path, HandClock()), tmp_path) as (announced,):
        if device.logical_names:
            with associated(announced) as peer:
                found = {(int(each.objectType), each.version, str(each.logicalName)) for each in peer.objects()}
        else:
            peer = ShortNamePeer(announced)
            peer.open()
            found = {(int(each.objectType), each.version, str(each.logicalName)) for each in peer.objects()}
            peer.close()
    wanted = {(each.class_id, each.version, each.logical_name.dotted) for each in device.objects}
    assert found == {row for row in wanted if row[0] not in UNKNOWN_TO_THE_PEER}
