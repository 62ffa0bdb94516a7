import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.links.endpoint import Rfc2217Endpoint, SerialEndpoint, TcpEndpoint, UdpEndpoint, parse_endpoint
from sessions.links.line import LineError


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("tcp://10.0.0.7:4059", TcpEndpoint("10.0.0.7", 4059)),
        ("tcp://meter-7.lab:4059", TcpEndpoint("meter-7.lab", 4059)),
        ("tcp://[::1]:4059", TcpEndpoint("::1", 4059)),
        ("udp://10.0.0.7:4059", UdpEndpoint("10.0.0.7", 4059)),
        ("udp://[fe80::1]:4059", UdpEndpoint("fe80::1", 4059)),
        ("rfc2217://10.0.0.7:4001", Rfc2217Endpoint("10.0.0.7", 4001)),
        ("rfc2217://[::1]:4001?baud=300&data_bits=7&parity=e", Rfc2217Endpoint("::1", 4001, 300, 7, "E")),
        ("serial:///dev/ttyUSB0?baud=19200", SerialEndpoint("/dev/ttyUSB0", 19200)),
        ("tcp://10.0.0.7:4059/", TcpEndpoint("10.0.0.7", 4059)),
        ("serial:///dev/ttyS0", SerialEndpoint("/dev/ttyS0", 9600)),
        (
            "serial:///dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0?baud=300",
            SerialEndpoint("/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", 300),
        ),
        ("serial:///dev/bench%20%231?baud=9600&parity=e", SerialEndpoint("/dev/bench #1", parity="E")),
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
        "udp://10.0.0.7",
        "udp://host:4059?baud=9600",
        "rfc2217://host",
        "rfc2217://host:4001/dev",
        "rfc2217://host:4001?baud=fast",
        "rfc2217://host:4001?logging=debug",
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
        "tcp://user@host:4059",
        "tcp://host:4059/path",
        "tcp://host:4059?baud=9600",
        "tcp://a..b:4059",
        "tcp://host:4059#there",
        "tcp://ho\0st:4059",
        "tcp://[::1:4059",
        "serial:///dev/tty%00S0",
    ],
)
def test_what_is_none_is_refused_with_a_way_to_write_it(text):
    with pytest.raises(LineError) as refused:
        parse_endpoint(text)
    assert refused.value.code == "bad-endpoint"
    assert "tcp://" in refused.value.hint


@pytest.mark.parametrize(
    ("endpoint", "bits"),
    [
        (SerialEndpoint("/dev/ttyS0", 9600), 10),
        (SerialEndpoint("/dev/ttyS0", 300, 7, "E", 1), 10),
        (SerialEndpoint("/dev/ttyS0", 2400, 8, "E", 1), 11),
        (SerialEndpoint("/dev/ttyS0", 2400, 8, "N", 2), 11),
    ],
)
def test_how_long_an_octet_takes(endpoint, bits):
    assert endpoint.settings.octet_time == pytest.approx(bits / endpoint.baud)


@given(st.text(max_size=40), st.sampled_from(["", "tcp://", "udp://", "serial://", "serial:///dev/"]))
@settings(max_examples=150)
def test_any_text_is_an_endpoint_or_refused(text, head):
    try:
        endpoint = parse_endpoint(head + text)
    except LineError as error:
        assert error.code == "bad-endpoint"
    else:
        assert parse_endpoint(str(endpoint)) == endpoint
