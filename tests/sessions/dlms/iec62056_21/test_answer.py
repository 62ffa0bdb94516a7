from sessions.dlms.iec62056_21 import answer as module
from sessions.dlms.iec62056_21.answer import MAX_REPEATS, Answer
from sessions.dlms.iec62056_21.characters import BlockCheck
from sessions.dlms.iec62056_21.message import DataMessage


def of(check, text=b"1.8(5)"):
    return DataMessage(text, check=check)


def test_blocks_become_one_message():
    answer = Answer()
    assert not answer.begun
    answer.add(DataMessage(b"1.8(", last=False))
    answer.add(DataMessage(b"5)"))
    assert answer.begun
    assert answer.message == DataMessage(b"1.8(5)")
    answer.begin()
    assert not answer.begun


def test_the_standards_check_and_none_are_taken_at_once():
    answer = Answer()
    assert answer.believes(of(BlockCheck.XOR))
    assert answer.believes(of(BlockCheck.ABSENT))
    assert answer.suspect is None


def test_another_check_is_believed_the_second_time_and_from_then_on():
    answer = Answer()
    assert not answer.believes(of(BlockCheck.SUM))
    assert answer.suspect == of(BlockCheck.SUM)
    assert not answer.believes(of(BlockCheck.XOR_WITH_START))
    assert not answer.believes(of(BlockCheck.SUM))
    assert answer.believes(of(BlockCheck.SUM))
    answer.add(of(BlockCheck.SUM))
    answer.begin()
    assert answer.believes(of(BlockCheck.SUM))


def test_a_check_that_was_chosen_is_believed():
    assert Answer(BlockCheck.SUM).believes(of(BlockCheck.SUM))


def test_repeats_have_an_end():
    answer = Answer()
    assert [answer.may_repeat() for _ in range(MAX_REPEATS + 1)] == [True] * MAX_REPEATS + [False]
    answer.add(of(BlockCheck.XOR))
    assert answer.may_repeat()


def test_an_answer_that_does_not_end_is_overfull(monkeypatch):
    monkeypatch.setattr(module, "MAX_TEXT", 10)
    answer = Answer()
    answer.add(DataMessage(b"1234567890", last=False))
    assert not answer.is_overfull
    answer.add(DataMessage(b"1", last=False))
    assert answer.is_overfull
