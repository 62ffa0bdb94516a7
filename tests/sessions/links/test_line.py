from sessions.dlms.errors import DlmsError
from sessions.links.line import LineError


def test_an_error_of_the_line_says_so_and_may_be_retried():
    error = LineError("Nobody listens.", code="connection-refused", hint="Check the port.")
    assert isinstance(error, DlmsError)
    assert error.retryable
    assert error.as_dict() == {
        "layer": "line",
        "code": "connection-refused",
        "message": "Nobody listens.",
        "hint": "Check the port.",
    }
