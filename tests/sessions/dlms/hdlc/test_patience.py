from sessions.dlms.hdlc.patience import MAX_USELESS, Patience


def patience(**options):
    values = {
        "response_timeout": 5.0,
        "max_retries": 2,
        "inter_octet_timeout": 0.5,
        "poll_interval": 0.1,
        "busy_timeout": 60.0,
    }
    return Patience(**{**values, **options})


def test_nothing_is_due_before_something_was_said():
    clock = patience()
    clock.heard(5, 1.0)
    assert clock.next_timer() is None
    assert not clock.reply_overdue(100.0)
    assert not clock.poll_due(100.0)
    assert not clock.octet_overdue(100.0)


def test_an_answer_is_due_from_the_last_octet_on():
    clock = patience()
    clock.spoke(1.0)
    assert clock.next_timer() == 6.0
    clock.heard(1, 3.0)
    assert clock.next_timer() == 8.0
    assert not clock.reply_overdue(7.9)
    assert clock.reply_overdue(8.0)
    clock.rest()
    assert clock.next_timer() is None


def test_a_babbling_line_stops_to_prolong_the_wait():
    clock = patience()
    clock.spoke(0.0)
    clock.heard(MAX_USELESS, 1.0)
    assert clock.next_timer() == 6.0
    clock.heard(1, 2.0)
    assert clock.next_timer() == 6.0
    clock.progress()
    clock.heard(1, 3.0)
    assert clock.next_timer() == 8.0


def test_a_pause_inside_a_frame_is_said_once():
    clock = patience()
    clock.pausing(True, 1.0)
    assert clock.next_timer() == 1.5
    assert not clock.octet_overdue(1.4)
    assert clock.octet_overdue(1.5)
    assert not clock.octet_overdue(1.6)
    clock.pausing(True, 2.0)
    clock.pausing(False, 2.1)
    assert clock.next_timer() is None


def test_retries_and_repetitions_are_counted_apart_and_anew_after_progress():
    clock = patience(max_retries=2)
    for _ in range(2):
        assert [clock.retry() for _ in range(3)] == [True, True, False]
        assert [clock.repeat() for _ in range(3)] == [True, True, False]
        clock.progress()


def test_a_server_may_ask_to_wait_but_not_for_ever():
    clock = patience(busy_timeout=10.0)
    clock.spoke(0.0)
    assert clock.wait(1.0)
    assert clock.next_timer() == 1.1
    assert not clock.poll_due(1.0)
    assert clock.poll_due(1.1)
    clock.spoke(1.1)
    assert not clock.poll_due(1.1)
    assert clock.wait(10.9)
    assert not clock.wait(11.0)
    clock.progress()
    assert clock.wait(12.0)


def test_a_wait_for_a_busy_server_is_not_a_wait_for_an_answer():
    clock = patience(response_timeout=0.15, poll_interval=0.1)
    clock.spoke(0.0)
    for _ in range(4):
        assert clock.wait(1.0)
    assert not clock.awaits_reply
    assert clock.next_timer() == 1.8
    assert not clock.reply_overdue(1.5)


def test_polls_of_a_busy_server_are_never_quicker_than_asked_for():
    clock = patience(poll_interval=3.0)
    for at in (0.0, 10.0, 20.0):
        clock.wait(at)
        assert clock.next_timer() == at + 3.0


def test_an_idle_link_is_polled_and_dies_of_age():
    clock = patience(keep_alive=30.0, inactivity_timeout=120.0)
    clock.idle(10.0)
    assert clock.next_timer() == 40.0
    assert not clock.probe_due(39.9)
    assert clock.probe_due(40.0)
    assert not clock.is_inactive(129.9)
    assert clock.is_inactive(130.0)
    clock.spoke(50.0)
    assert not clock.probe_due(1000.0)
    assert not clock.is_inactive(1000.0)
    clock.idle(60.0)
    clock.rest()
    assert clock.next_timer() is None


def test_without_these_times_an_idle_link_stays_as_it_is():
    clock = patience()
    clock.idle(10.0)
    assert clock.next_timer() is None
    assert not clock.probe_due(1e9)
    assert not clock.is_inactive(1e9)


def test_the_longest_wait_is_a_busy_server_that_falls_silent():
    assert patience(busy_timeout=60.0, max_retries=2, response_timeout=5.0).longest_wait == 75.0
