"""A second foreign client against our simulator: every mechanism, suite, protection and key, in both forms of ciphering."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

pytest.importorskip("pydlms")

from pydlms import DlmsError

from sessions.simulator.lab import LabLine
from tests.interop.pydlms_peer import client_of
from tests.interop.test_gurux_associations import CASES, Case, meter_for
from tests.sessions.simulator.served import lab_of, listening

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Case, dict[str, Any]]]:
    meters = [meter_for(number, case) for number, case in enumerate(CASES)]
    lines = [LabLine(kind=case.framing, meters=(meter,)) for case, meter in zip(CASES, meters, strict=True)]
    with listening(lab_of(*lines), tmp_path_factory.mktemp("lab")) as announced:
        yield dict(zip(CASES, announced, strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_associates_reads_in_blocks_and_releases(lab: dict[Case, dict[str, Any]], case: Case) -> None:
    forms = (False, True) if case.protection != "none" else (False,)
    for general in forms:
        with client_of(lab[case], general=general, invocation_counter=1 + general * 1000) as peer:
            assert peer.get_register("1.0.1.8.0.255").value > 1_000_000
            assert peer.get_clock().to_datetime().replace(tzinfo=None) == datetime(2026, 11, 25, 12)
            assert len(peer.get_association_view()) >= 30


CHANGES = {
    "hls-gmac": {"gak": bytes(16).hex()},
    "hls-ecdsa": {"client_signing_key": (b"\x07" * 32).hex()},
}


@pytest.mark.parametrize("mechanism", sorted({case.mechanism for case in CASES} - {"none"}))
def test_a_wrong_secret_or_key_is_refused(lab: dict[Case, dict[str, Any]], mechanism: str) -> None:
    announced = lab[Case("wrapper", 1, mechanism, "none", False)]
    changes = CHANGES.get(mechanism, {"secret": "text:ABCDEF0123456789"})
    peer = client_of({**announced, "association": {**announced["association"], **changes}})
    with pytest.raises(DlmsError, match=r"(?i)auth|denied"):
        peer.connect()
    peer.close()
