import pytest

from sessions.links.endpoint import SerialEndpoint, TcpEndpoint, parse_endpoint
from sessions.links.line import LineError


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("tcp://10.0.0.7:4059", TcpEndpoint("10.0.0.7", 4059)),
        ("tcp://meter-7.lab:4059", TcpEndpoint("meter-7.lab", 4059)),
        ("tcp://[::1]:4059", TcpEndpoint("::1", 4059)),
        ("serial:///dev/ttyUSB0?baud=19200", SerialEndpoint("/dev/ttyUSB0", 19200)),
        ("serial:///dev/ttyS0", SerialEndpoint("/dev/ttyS0", 9600)),
        (
            "serial:///dev/ttyS0?baud=300&data_bits=7&parity=E&stop_bits=1",
            SerialEndpoint("/dev/ttyS0", 300, 7, "E", 1),
        ),
    ],
)
def test_endpoints_go_round(text, endpoint):
    assert parse_endpoint(text) == endpoint
    assert parse_endpoint(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.7:4059",
        "http://10.0.0.7:4059",
        "tcp://10.0.0.7",
        "tcp://:4059",
        "tcp://host:99999",
        "tcp://host:port",
        "serial://",
        "serial:///",
        "serial://ttyUSB0",
        "serial:///dev/ttyS0?baud=fast",
        "serial:///dev/ttyS0?baud=1",
        "serial:///dev/ttyS0?parity=X",
        "serial:///dev/ttyS0?data_bits=9",
        "serial:///dev/ttyS0?speed=9600",
        "socket://host:4059",
    ],
)
def test_what_is_none_is_refused_with_a_way_to_write_it(text):
    with pytest.raises(LineError) as refused:
        parse_endpoint(text)
    assert refused.value.code == "bad-endpoint"
    assert "tcp://" in refused.value.hint
