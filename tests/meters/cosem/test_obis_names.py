import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1-0:1.8.0*255", "Active energy import (+A), total"),
        ("1-0:1.8.2*255", "Active energy import (+A), rate 2"),
        ("1-0:2.8.0*255", "Active energy export (-A), total"),
        ("1-0:3.8.0*255", "Reactive energy import (+R), total"),
        ("1-0:1.7.0*255", "Active power import (+A)"),
        ("1-0:1.6.0*255", "Active power import (+A), maximum"),
        ("1-0:1.29.0*255", "Active energy import (+A), recording interval 1, total"),
        ("1-0:32.7.0*255", "Voltage L1"),
        ("1-0:52.7.0*255", "Voltage L2"),
        ("1-0:71.7.0*255", "Current L3"),
        ("1-0:32.7.124*255", "Voltage L1, THD"),
        ("1-0:14.7.0*255", "Frequency"),
        ("1-0:1.8.0*101", "Active energy import (+A), total, last billing period"),
        ("1-1:1.8.0*255", "Active energy import (+A), total, channel 1"),
        ("1-0:99.1.0*255", "Load profile 1"),
        ("1-0:99.98.1*255", "Event log, number 1"),
        ("0-0:1.0.0*255", "Clock"),
        ("0-0:40.0.0*255", "Association"),
        ("0-0:42.0.0*255", "COSEM logical device name"),
        ("0-0:43.1.3*255", "Invocation counter, number 3"),
        ("0-0:96.1.0*255", "Device identifier"),
        ("0-0:96.3.10*255", "Disconnect control"),
        ("0-1:24.2.1*255", "M-Bus value, number 1, channel 1"),
        ("7-0:3.0.0*255", "Forward volume, absolute, at metering conditions"),
        ("8-0:1.0.0*255", "Volume"),
        ("6-0:1.0.0*255", "Energy"),
        ("1-0:150.7.0*255", "Manufacturer-specific (electricity)"),
        ("9-0:77.0.0*255", "Hot water object"),
    ],
)
def test_words(code, words):
    assert describe(ObisCode.parse(code)) == words


@given(st.binary(min_size=6, max_size=6))
def test_every_code_has_some_words(octets):
    assert describe(ObisCode.from_octets(octets))
