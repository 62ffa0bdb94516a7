"""Every bit of the conformance block that either side offers names a test that uses it; no other bit is ever offered."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessions.dlms.association import PROPOSED_CONFORMANCE, PROPOSED_SHORT_NAME_CONFORMANCE
from sessions.dlms.conformance import Conformance as C
from sessions.simulator.device import SERVED_CONFORMANCE, SERVED_SHORT_NAME_CONFORMANCE

TESTS = Path(__file__).resolve().parents[1]

CLIENT = {
    C.GET: "dlms/transfers/test_get.py::test_a_value_in_one_answer",
    C.SET: "dlms/transfers/test_set.py::test_a_set_arrives_whole_at_every_capacity",
    C.ACTION: "dlms/transfers/test_action.py::test_an_action_in_one_answer",
    C.SELECTIVE_ACCESS: "dlms/transfers/test_get.py::test_a_list_in_one_answer",
    C.MULTIPLE_REFERENCES: "dlms/transfers/test_many.py::test_reads_take_the_best_form",
    C.ACCESS: "dlms/transfers/test_access.py::test_each_item_has_its_result",
    C.GENERAL_BLOCK_TRANSFER: "dlms/test_channel.py::test_an_answer_in_blocks_is_put_together_and_the_link_gives_the_turn",
    C.GENERAL_PROTECTION: "dlms/test_channel.py::test_an_apdu_is_ciphered_and_then_cut",
    C.BLOCK_TRANSFER_WITH_GET_OR_READ: "dlms/transfers/test_get.py::test_a_long_answer_in_blocks_of_every_size",
    C.BLOCK_TRANSFER_WITH_SET_OR_WRITE: "dlms/transfers/test_set.py::test_blocks_are_as_full_as_the_meter_can_take_them",
    C.BLOCK_TRANSFER_WITH_ACTION: "dlms/transfers/test_action.py::test_blocks_out_then_blocks_back",
    C.PRIORITY_MGMT_SUPPORTED: "dlms/transfers/test_access.py::test_what_goes_out",
    C.EVENT_NOTIFICATION: "dlms/test_client.py::test_notifications_between_the_answers",
    C.DATA_NOTIFICATION: "dlms/test_client.py::test_notifications_between_the_answers",
    C.READ: "dlms/transfers/test_short_name.py",
    C.WRITE: "dlms/transfers/test_short_name.py",
    C.UNCONFIRMED_WRITE: "dlms/transfers/test_short_name.py",
    C.PARAMETERIZED_ACCESS: "dlms/transfers/test_short_name.py",
    C.INFORMATION_REPORT: "dlms/transfers/test_short_name.py",
}
SERVER = {
    C.GET: "simulator/test_get_service.py::test_a_short_value_comes_at_once",
    C.SET: "simulator/test_set_service.py::test_a_short_set",
    C.ACTION: "simulator/test_action_service.py::test_a_short_action",
    C.SELECTIVE_ACCESS: "simulator/test_get_service.py::test_selections_must_be_agreed_on",
    C.MULTIPLE_REFERENCES: "simulator/test_get_service.py::test_a_list_gives_a_result_for_each",
    C.ACCESS: "simulator/test_access_service.py::test_each_item_has_its_value_and_its_result_in_order",
    C.GENERAL_BLOCK_TRANSFER: "simulator/test_exchange.py::test_what_is_asked_in_a_block_is_answered_in_one",
    C.DATA_NOTIFICATION: "simulator/push/test_setup.py::test_a_push_reaches_the_client_and_is_confirmed_where_it_asks_for_it",
    C.GENERAL_PROTECTION: "simulator/test_exchange.py::test_an_access_is_ciphered_in_a_general_envelope_and_cut",
    C.BLOCK_TRANSFER_WITH_GET_OR_READ: "simulator/test_get_service.py::test_a_long_value_comes_in_blocks_that_fit",
    C.BLOCK_TRANSFER_WITH_SET_OR_WRITE: "simulator/test_set_service.py::test_a_long_set",
    C.BLOCK_TRANSFER_WITH_ACTION: "simulator/test_action_service.py::test_long_parameters_and_a_long_answer",
    C.PRIORITY_MGMT_SUPPORTED: "simulator/test_get_service.py::test_a_short_value_comes_at_once",
    C.READ: "simulator/test_short_name_service.py",
    C.WRITE: "simulator/test_short_name_service.py",
    C.UNCONFIRMED_WRITE: "simulator/test_short_name_service.py",
    C.PARAMETERIZED_ACCESS: "simulator/test_short_name_service.py",
}


@pytest.mark.parametrize(
    ("offered", "known"),
    [
        (PROPOSED_CONFORMANCE | PROPOSED_SHORT_NAME_CONFORMANCE, CLIENT),
        (SERVED_CONFORMANCE | SERVED_SHORT_NAME_CONFORMANCE, SERVER),
    ],
    ids=["client", "server"],
)
def test_every_service_that_is_offered_has_its_test(offered, known):
    assert {bit for bit in C if bit in offered} == set(known)
    for name in known.values():
        path, _, test = name.partition("::")
        assert not test or f"def {test}(" in (TESTS / path).read_text(encoding="utf-8"), name
