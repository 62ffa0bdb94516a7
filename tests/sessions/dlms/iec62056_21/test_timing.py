from sessions.dlms.iec62056_21.timing import INTER_CHARACTER, Timing


def test_nothing_is_due_at_first():
    timing = Timing(5.0)
    assert timing.next_timer() is None
    assert not timing.reply_overdue(1e9)
    assert not timing.octet_overdue(1e9)
    assert not timing.pause_is_over(1e9)
    assert timing.take_pending(1e9) == b""


def test_we_speak_after_the_reaction_time():
    timing = Timing(5.0)
    timing.heard(1, 100, 10.0)
    timing.plan(b"x", 10.0)
    assert timing.next_timer() == 10.2
    assert timing.take_pending(10.1) == b""
    assert timing.take_pending(10.2) == b"x"
    assert timing.take_pending(10.3) == b""
    assert timing.next_timer() is None


def test_we_speak_at_once_where_nothing_was_heard_and_later_where_that_is_wanted():
    timing = Timing(5.0)
    timing.plan(b"x", 10.0)
    assert timing.take_pending(10.0) == b"x"
    timing.plan(b"y", 10.0, 12.0)
    assert timing.next_timer() == 12.0


def test_the_wait_counts_from_the_last_octet_and_knows_how_long_ours_take():
    timing = Timing(5.0)
    timing.wait(0.0, sent=30, baud=300)
    assert timing.next_timer() == 6.0
    timing.heard(1, 100, 4.0)
    assert timing.next_timer() == 9.0
    assert not timing.reply_overdue(8.9)
    assert timing.reply_overdue(9.0)
    timing.give_up()
    assert timing.next_timer() is None


def test_a_line_that_only_babbles_does_not_prolong_the_wait_for_ever():
    timing = Timing(5.0)
    timing.wait(0.0)
    timing.heard(100, 100, 1.0)
    assert timing.next_timer() == 6.0
    timing.heard(1, 100, 2.0)
    assert timing.next_timer() == 6.0
    timing.understood()
    timing.heard(1, 100, 3.0)
    assert timing.next_timer() == 8.0


def test_a_pause_inside_a_message_and_one_of_ours():
    timing = Timing(5.0)
    timing.pausing(True, 1.0)
    assert timing.next_timer() == 1.0 + INTER_CHARACTER
    assert timing.octet_overdue(2.5)
    assert not timing.octet_overdue(2.5)
    timing.pausing(True, 1.0)
    timing.pausing(False, 1.0)
    assert timing.next_timer() is None
    timing.pause(3.0)
    assert not timing.pause_is_over(2.9)
    assert timing.pause_is_over(3.0)


def test_rest_forgets_everything():
    timing = Timing(5.0)
    timing.plan(b"x", 0.0)
    timing.wait(0.0)
    timing.pause(1.0)
    timing.pausing(True, 0.0)
    timing.rest()
    assert timing.next_timer() is None
    assert timing.pending == b""
