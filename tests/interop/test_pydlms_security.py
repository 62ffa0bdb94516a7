"""A second foreign client against our simulator: keys transferred and agreed on, general-ciphering and general-signing.

What it and we see differently stands at the end, each with what happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

pytest.importorskip("pydlms")

from pydlms import DlmsClient, DlmsError, SecurityContext
from pydlms.security.general import KeyInfo
from pydlms.security.keywrap import KeyId
from pydlms.security.suites import SecurityPolicy

from sessions.association_file import parse_association
from sessions.simulator.lab import LabLine, LabMeter
from sessions.simulator.truth import Truth
from tests.interop.pydlms_peer import CURVES, client_of, private_key, public_key, security_of
from tests.sessions.simulator.served import lab_of, listening
from tests.sessions.simulator.test_every_association import meter_of

pytestmark = pytest.mark.interop

SIZES = {0: 16, 1: 16, 2: 32}
REGISTER = "1.0.1.8.0.255"


class Served(NamedTuple):
    meter: LabMeter
    told: dict[str, Any]

    @property
    def suite(self) -> int:
        return int(self.told["association"].get("security_suite", 0))

    def context(self, counter: int, changes: dict[str, str] | None = None, **more: Any) -> SecurityContext:
        association = {**self.told["association"], **(changes or {})}
        if self.suite:
            keys, curve = parse_association(association).parameters, CURVES[self.suite]
            more |= {
                "signing_key": private_key(keys.client_signing_key, curve),
                "peer_signing_key": public_key(keys.server_signing_key, curve),
                "key_agreement_key": private_key(keys.client_key_agreement_key, curve),
                "peer_key_agreement_key": public_key(keys.server_key_agreement_key, curve),
            }
        return security_of(association, counter, **more)

    def peer(self, context: SecurityContext, **settings: Any) -> DlmsClient:
        return client_of(self.told, security=context, **settings)


@pytest.fixture(params=["wrapper", "hdlc"])
def serve(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Any]:
    """Gives a meter that listens."""
    running: list[Any] = []

    def start(suite: int, mechanism: str = "hls-gmac", protection: str = "authenticated-encrypted") -> Served:
        keys = {"kek": bytes(range(0x40, 0x40 + SIZES[suite])).hex(), "gbek": (b"\x0b" * SIZES[suite]).hex()}
        place = {"physical_address": 17} if request.param == "hdlc" else {}
        meter = meter_of(mechanism, suite, protection, table=place, **keys)
        context = listening(lab_of(LabLine(kind=request.param, meters=(meter,))), tmp_path)
        running.append(context)
        return Served(meter, context.__enter__()[0])

    yield start
    for context in running:
        context.__exit__(None, None, None)


# -- keys --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SIZES)
def test_keys_that_it_transfers(serve: Any, suite: int) -> None:
    served = serve(suite)
    guek, gak = bytes(range(7, 7 + SIZES[suite])), bytes(range(70, 70 + SIZES[suite]))
    peer = served.peer(served.context(1)).connect()
    peer.transfer_keys({KeyId.GLOBAL_UNICAST_ENCRYPTION: guek, KeyId.AUTHENTICATION: gak})
    peer.close()
    truth = Truth(served.meter)
    assert (truth.device.security.guek, truth.device.security.gak) == (guek, gak)
    assert truth.executions(64, "0-0:43.0.0*255", 2) == 1
    with served.peer(served.context(5, {"guek": guek.hex(), "gak": gak.hex()})) as peer:
        assert peer.get_register(REGISTER).value > 0
    old = served.peer(served.context(50))
    with pytest.raises(DlmsError, match="rejected"):
        old.connect()
    old.close()


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("key_id", [KeyId.GLOBAL_UNICAST_ENCRYPTION, KeyId.AUTHENTICATION])
def test_a_key_that_both_agree_on(serve: Any, suite: int, key_id: KeyId) -> None:
    """C(2e,0s) under P-256 and P-384, both halves signed."""
    served = serve(suite)
    name = "guek" if key_id is KeyId.GLOBAL_UNICAST_ENCRYPTION else "gak"
    peer = served.peer(served.context(1)).connect()
    (agreed,) = peer.agree_keys([key_id]).values()
    peer.close()
    assert getattr(served.meter.device.security, name) == agreed
    assert len(agreed) == SIZES[suite]
    with served.peer(served.context(1000, {name: agreed.hex()})) as peer:
        assert peer.get_register(REGISTER).value > 0


@pytest.mark.parametrize("suite", SIZES)
def test_it_finds_the_counter_to_go_on_from(serve: Any, suite: int) -> None:
    served = serve(suite)
    with served.peer(served.context(4711)) as peer:
        assert peer.get_register(REGISTER).value > 0
    with served.peer(served.context(0), discover_invocation_counter=True) as peer:
        assert peer.get_register(REGISTER).value > 0


# -- general-ciphering and general-signing -----------------------------------------------------------------------------

KINDS = {
    "no key-info": KeyInfo(),
    "identified": KeyInfo("identified", 0),
    "wrapped": KeyInfo("wrapped"),
    "one-pass": KeyInfo("agreed", scheme=1),
    "static-unified": KeyInfo("agreed", scheme=2),
}


@pytest.mark.parametrize(
    ("suite", "kind"), [(suite, kind) for suite in SIZES for kind in KINDS if suite or KINDS[kind].kind != "agreed"]
)
def test_general_ciphering_under_every_kind_of_key(serve: Any, suite: int, kind: str) -> None:
    """Again in a second association: what was believed once must not shut out what is new."""
    served = serve(suite)
    for counter in (1, 1000):
        context = served.context(counter, general_aad="with-header")
        with served.peer(context, protection="general-ciphering", key_info=KINDS[kind]) as peer:
            assert peer.get_register(REGISTER).value > 1_000_000
            assert len(peer.get_association_view()) >= 30


def signing(served: Served, counter: int, **more: Any) -> DlmsClient:
    context = served.context(counter, **more)
    context.policy = SecurityPolicy.AUTHENTICATED_ENCRYPTED  # of what is not signed: the InitiateRequest
    return served.peer(context, protection="general-signing", ciphered_context=True)


@pytest.mark.parametrize("suite", [1, 2])
def test_a_signed_request_and_its_signed_answer(serve: Any, suite: int) -> None:
    served = serve(suite, "lls", "none")
    peer = signing(served, 1).connect()
    assert peer.get("1.0.1.8.0.255", 3, 2).value > 1_000_000
    peer.close()


# -- where it and we differ --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", [1, 2])
def test_signed_requests_without_a_transaction_id_are_believed_once(serve: Any, suite: int) -> None:
    """The peer leaves the transaction-id empty, and nothing else tells a signed request from its replay."""
    served = serve(suite, "lls", "none")
    peer = signing(served, 1).connect()
    peer.get("1.0.1.8.0.255", 3, 2)
    with pytest.raises(DlmsError, match="DECIPHERING_ERROR"):
        peer.get("1.0.1.8.0.255", 3, 2)
    peer.close()


@pytest.mark.parametrize("change", [{"general_aad": "sc-ak"}, {"signing_form": "length-prefixed-content"}], ids=str)
def test_other_readings_of_what_is_authenticated_are_refused(serve: Any, change: dict[str, str]) -> None:
    """Those of other stacks, which the peer can take up as well: ours is the standard's by its text."""
    if "general_aad" in change:
        served = serve(1)
        peer = served.peer(served.context(1, **change), protection="general-ciphering", key_info=KINDS["identified"])
    else:
        served = serve(1, "hls-gmac", "none")
        peer = signing(served, 1, **change)
    with pytest.raises(DlmsError, match="DECIPHERING_ERROR"):
        peer.connect()
    peer.close()


def test_nobody_answers_under_the_broadcast_key(serve: Any) -> None:
    served = serve(0)
    context = served.context(1, general_aad="with-header")
    peer = served.peer(context, protection="general-ciphering", key_info=KeyInfo("identified", 1))
    with pytest.raises(DlmsError, match="DECIPHERING_ERROR"):
        peer.connect()
    peer.close()
