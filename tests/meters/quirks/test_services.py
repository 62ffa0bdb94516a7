"""Quirks are proposed by one and accepted by another, and the log tells all of it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError

from meters.changes import changes_of
from meters.models import Change, Quirk, QuirkComment, QuirkException
from meters.quirks.review import ReviewError
from meters.quirks.services import (
    accept_quirk,
    comment_quirk,
    end_exception,
    make_exception,
    propose_quirk,
    refuse_quirk,
    withdraw_quirk,
)
from tests.meters.builders import make_meter
from tests.meters.quirks.builders import accept, propose
from tests.sessions.builders import make_session, make_user

pytestmark = pytest.mark.django_db
State = Quirk.State


@pytest.fixture
def meter():
    return make_meter()


class TestProposing:
    def test_it_is_kept_with_its_proof_and_the_log_tells_it(self, meter) -> None:
        quirk = propose(meter, "keep_alive", "60")
        assert (quirk.state, quirk.value, quirk.proposed_by_name) == (State.PROPOSED, 60.0, "anna")
        assert meter.sessions.filter(pk=quirk.proof_session).exists()
        (entry,) = changes_of(quirk)
        assert (entry.action, entry.kind, entry.message) == (Change.Action.CREATE, "QUIRK", "it was so")
        assert entry.fields["value"] == [None, "60"]

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"name": "nonsense"}, "value"),
            ({"value": "no"}, "value"),
            ({"reason": "  "}, "reason"),
            ({"session_id": None}, "session"),
            ({"session_id": 999}, "session"),
        ],
    )
    def test_what_is_wrong_is_named(self, meter, changes: dict, where: str) -> None:
        given = {"name": "disconnect_first", "value": True, "reason": "x", "session_id": make_session(meter).pk}
        with pytest.raises(ValidationError) as refused:
            propose_quirk(user=make_user("anna"), meter_type=meter.meter_type, **{**given, **changes})
        assert where in refused.value.error_dict
        assert not Quirk.objects.exists()

    def test_a_session_with_a_meter_of_another_type_proves_nothing(self, meter) -> None:
        other = make_meter(meter={"serial_number": "other", "model": "M2"})
        proof = make_session(other)
        with pytest.raises(ValidationError) as refused:
            propose_quirk(
                user=make_user("anna"),
                meter_type=meter.meter_type,
                name="disconnect_first",
                value=True,
                reason="x",
                session_id=proof.pk,
            )
        assert "session" in refused.value.error_dict

    def test_what_is_proposed_or_accepted_already_is_not_proposed_again(self, meter) -> None:
        quirk = propose(meter)
        with pytest.raises(ValidationError, match="proposed already"):
            propose(meter)
        accept_quirk(user=make_user("bert"), quirk_id=quirk.pk)
        with pytest.raises(ValidationError, match="accepted already"):
            propose(meter)

    @pytest.mark.parametrize("user", [None, AnonymousUser()], ids=["none", "anonymous"])
    def test_it_takes_a_person(self, meter, user) -> None:
        with pytest.raises(PermissionDenied):
            propose_quirk(
                user=user, meter_type=meter.meter_type, name="disconnect_first", value=True, reason="x", session_id=1
            )


class TestReviewing:
    def test_another_accepts(self, meter) -> None:
        quirk = accept(meter)
        assert (quirk.state, quirk.reviewed_by_name) == (State.ACCEPTED, "bert")
        assert changes_of(quirk).first().fields == {"state": ["PROPOSED", "ACCEPTED"]}

    @pytest.mark.parametrize("service", [accept_quirk, refuse_quirk])
    def test_never_the_proposer(self, meter, service) -> None:
        quirk = propose(meter)
        with pytest.raises(ReviewError, match="another person"):
            service(user=make_user("anna"), quirk_id=quirk.pk, message="x")
        quirk.refresh_from_db()
        assert quirk.state == State.PROPOSED
        assert changes_of(quirk).count() == 1

    def test_not_even_when_the_proposers_account_was_made_anew(self, meter) -> None:
        quirk = propose(meter)
        make_user("anna").delete()
        with pytest.raises(ReviewError, match="another person"):
            accept_quirk(user=make_user("anna"), quirk_id=quirk.pk)

    def test_a_refusal_says_why(self, meter) -> None:
        quirk = propose(meter)
        with pytest.raises(ReviewError, match="Say why"):
            refuse_quirk(user=make_user("bert"), quirk_id=quirk.pk, message=" ")
        refuse_quirk(user=make_user("bert"), quirk_id=quirk.pk, message="it was the cable")
        entry = changes_of(quirk).first()
        assert (entry.fields, entry.message) == ({"state": ["PROPOSED", "REFUSED"]}, "it was the cable")

    def test_what_was_refused_can_be_proposed_anew(self, meter) -> None:
        refused = propose(meter)
        refuse_quirk(user=make_user("bert"), quirk_id=refused.pk, message="no")
        assert accept(meter).pk != refused.pk

    def test_a_newer_value_replaces_the_accepted_one(self, meter) -> None:
        old = accept(meter, "keep_alive", 60)
        new = accept(meter, "keep_alive", 20)
        old.refresh_from_db()
        assert (old.state, new.state) == (State.WITHDRAWN, State.ACCEPTED)
        assert changes_of(old).first().message == f"replaced by quirk {new.pk}"

    def test_anybody_withdraws_what_was_accepted_and_says_why(self, meter) -> None:
        quirk = accept(meter)
        with pytest.raises(ReviewError, match="Say why"):
            withdraw_quirk(user=make_user("carla"), quirk_id=quirk.pk, message="")
        withdraw_quirk(user=make_user("carla"), quirk_id=quirk.pk, message="new firmware")
        quirk.refresh_from_db()
        assert (quirk.state, quirk.reviewed_by_name) == (State.WITHDRAWN, "bert")

    def test_a_proposal_is_taken_back_by_its_proposer_alone(self, meter) -> None:
        quirk = propose(meter)
        with pytest.raises(ReviewError, match="Somebody else proposed"):
            withdraw_quirk(user=make_user("bert"), quirk_id=quirk.pk, message="x")
        withdraw_quirk(user=make_user("anna"), quirk_id=quirk.pk, message="my mistake")

    def test_it_takes_a_person(self, meter) -> None:
        with pytest.raises(PermissionDenied):
            accept_quirk(user=AnonymousUser(), quirk_id=propose(meter).pk)


def test_a_comment_is_kept_and_the_log_says_that_there_is_one(meter) -> None:
    quirk = propose(meter)
    comment = comment_quirk(user=make_user("bert"), quirk_id=quirk.pk, text=" seen here, too ")
    assert (comment.text, comment.user_name) == ("seen here, too", "bert")
    assert changes_of(quirk).first().fields == {"comment": [None, f"#{comment.pk}"]}
    with pytest.raises(ValidationError):
        comment_quirk(user=make_user("bert"), quirk_id=quirk.pk, text="  ")
    assert QuirkComment.objects.count() == 1


class TestExceptions:
    def test_a_meter_does_otherwise_and_the_log_of_the_meter_says_why(self, meter) -> None:
        make_exception(user=make_user("anna"), meter_id=meter.pk, name="keep_alive", value="20", reason="slow line")
        make_exception(user=make_user("anna"), meter_id=meter.pk, name="keep_alive", value=None, reason="repaired")
        assert QuirkException.objects.get().value is None
        entries = list(changes_of(meter)[:2])
        assert [entry.message for entry in entries] == ["repaired", "slow line"]
        assert entries[0].fields == {"quirk keep_alive": ["20 (its own)", "no (its own)"]}
        end_exception(user=make_user("anna"), meter_id=meter.pk, name="keep_alive")
        assert not QuirkException.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "where"),
        [({"name": "nonsense"}, "name"), ({"value": "x"}, "value"), ({"reason": ""}, "reason")],
    )
    def test_what_is_wrong_is_named(self, meter, changes: dict, where: str) -> None:
        given = {"name": "keep_alive", "value": "20", "reason": "x", **changes}
        with pytest.raises(ValidationError) as refused:
            make_exception(user=make_user("anna"), meter_id=meter.pk, **given)
        assert where in refused.value.error_dict
