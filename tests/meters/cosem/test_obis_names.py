import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem import obis_tables as tables
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
        ("2-0:77.0.0*255", "Medium 2 object"),
        ("15-0:77.0.0*255", "Other object"),
        # electricity: quantities
        ("1-0:5.8.0*255", "Reactive energy quadrant I, total"),
        ("1-0:29.7.0*255", "Apparent power import L1"),
        ("1-0:80.8.3*255", "Active energy quadrant IV L3, rate 3"),
        ("1-0:15.8.0*255", "Active energy |+A| + |-A|, total"),
        ("1-0:15.7.2*255", "Active power |+A| + |-A|, harmonic 2"),
        ("1-0:1.4.0*255", "Active power import (+A), current average"),
        ("1-0:1.5.0*255", "Active power import (+A), last average"),
        ("1-0:1.6.2*255", "Active power import (+A), maximum, rate 2"),
        ("1-0:1.2.0*255", "Active power import (+A), cumulative maximum"),
        ("1-0:1.9.0*255", "Active energy import (+A), billing period, total"),
        ("1-0:1.35.0*255", "Active power import (+A), over-limit threshold"),
        ("1-0:1.77.0*255", "Active power import (+A), processing 77"),
        ("1-0:11.8.0*255", "Current, time integral 1"),
        ("1-0:88.8.0*255", "Ampere-squared hours, time integral 1"),
        ("1-0:32.7.1*255", "Voltage L1, fundamental"),
        ("1-0:32.7.127*255", "Voltage L1, all harmonics to nominal"),
        ("1-0:13.7.0*255", "Power factor"),
        ("1-0:84.7.0*255", "Power factor export"),
        ("1-0:91.7.0*255", "Neutral current"),
        ("1-0:124.7.0*255", "Voltage L1-L2"),
        ("1-0:32.32.5*255", "Voltage L1, under-limit occurrences, UNIPEDE class 5"),
        ("1-0:32.31.0*255", "Voltage L1, under-limit threshold"),
        ("1-0:81.7.4*255", "Phase angle I(L1) - U(L1)"),
        ("1-0:81.7.1*255", "Phase angle U(L2) - U(L1)"),
        ("1-0:81.7.26*255", "Phase angle I(L3) - U(L3)"),
        ("1-0:81.7.99*255", "Phase angle"),
        ("1-0:83.8.1*255", "Active line losses +, time integral 1"),
        ("1-0:83.8.3*255", "Active line losses, time integral 1"),
        ("1-0:83.8.18*255", "Reactive losses, time integral 1"),
        ("1-0:83.8.22*255", "Compensated active net +, time integral 1"),
        ("1-0:83.8.28*255", "Compensated reactive net -, time integral 1"),
        ("1-0:83.8.31*255", "Active line losses +, L1, time integral 1"),
        ("1-0:83.8.70*255", "Volt-squared hours L2, time integral 1"),
        # electricity: history
        ("1-0:1.8.0*0", "Active energy import (+A), total, billing period 0"),
        ("1-0:1.8.0*103", "Active energy import (+A), total, 3 billing periods ago"),
        ("1-0:1.8.0*126", "Active energy import (+A), total, past billing periods"),
        ("1-0:1.8.0*100", "Active energy import (+A), total"),
        # electricity: general objects
        ("1-0:0.0.0*255", "Electricity identifier"),
        ("1-0:0.0.1*255", "Electricity identifier 2"),
        ("1-0:0.0.255*255", "Electricity identifier"),
        ("1-0:0.1.0*255", "Billing period counter"),
        ("1-0:0.1.2*5", "Billing period time stamp, billing period 5"),
        ("1-0:0.4.2*255", "Transformer ratio, current (numerator)"),
        ("1-0:0.5.1*3", "Demand limit 3"),
        ("1-0:0.8.4*255", "Recording interval 1"),
        ("1-0:96.1.0*255", "Metering point identifier"),
        ("1-0:96.7.0*255", "Number of power failures, all phases"),
        ("1-0:99.97.0*255", "Power failure event log"),
        ("1-0:99.12.3*255", "Current harmonic profile, number 3"),
        ("1-0:99.2.0*255", "Load profile 2"),
        ("1-0:98.1.0*126", "Billing profile 1, past billing periods"),
        # abstract objects
        ("0-0:1.1.0*255", "UNIX clock"),
        ("0-0:10.0.106*255", "Disconnect control script table"),
        ("0-0:15.0.2*255", "Image activation schedule"),
        ("0-0:40.0.1*255", "Association, number 1"),
        ("0-0:43.0.0*255", "Security setup"),
        ("0-0:43.1.0*255", "Invocation counter"),
        ("0-3:24.1.0*255", "M-Bus client, channel 3"),
        ("0-0:65.1.2*255", "Utility table, standard 130"),
        ("0-0:65.16.0*255", "Utility table, manufacturer 0"),
        ("0-0:65.33.1*255", "Utility table, pending standard 129"),
        ("0-0:65.64.1*255", "Abstract object"),
        ("0-0:94.34.100*255", "Country-specific object (Spain)"),
        ("0-0:94.5.0*255", "Country-specific object (country 5)"),
        ("0-0:93.1.0*255", "Consortium-specific object"),
        ("0-0:96.1.2*255", "Device identifier 3"),
        ("0-0:96.1.10*255", "Metering point identifier"),
        ("0-0:96.1.255*255", "Device identifiers, all"),
        ("0-0:96.3.20*255", "Arbitrator"),
        ("0-0:96.3.22*255", "Arbitrator 3"),
        ("0-0:96.7.5*255", "Number of long power failures, all phases"),
        ("0-0:96.7.13*255", "Time of the last power failure, L3"),
        ("0-0:96.7.21*255", "Number of power failures, any phase"),
        ("0-0:96.15.4*255", "Event counter, number 4"),
        ("0-0:97.97.0*255", "Error register"),
        ("0-0:97.97.1*255", "Error register 2"),
        ("0-0:97.98.11*255", "Alarm filter 2"),
        ("0-0:127.3.4*255", "Inactive object, number 4"),
        # the other media
        ("7-0:13.2.0*255", "Forward volume of the converter, absolute, at base conditions"),
        ("7-0:3.7.0*255", "Forward volume, absolute, current difference of measurement period 1, corrected"),
        (
            "7-0:3.23.1*255",
            "Forward volume, absolute, last difference of measurement period 3, at base conditions, rate 1",
        ),
        ("7-0:43.16.0*255", "Flow rate, current average 2"),
        ("7-0:41.0.0*255", "Absolute temperature"),
        ("7-0:96.1.0*255", "Device identifier"),
        ("7-0:99.1.0*255", "Load profile 1"),
        ("6-0:8.0.0*255", "Power"),
        ("5-0:1.2.0*255", "Energy at the set date"),
        ("6-0:10.5.2*255", "Flow temperature maximum, rate 2"),
        ("6-0:1.9.0*255", "Energy processing 9"),
        ("4-0:2.0.0*255", "Rated integral"),
        ("8-0:2.0.0*255", "Flow rate"),
        # whose own numbers they are
        ("1-0:1.8.200*255", "Manufacturer-specific (electricity)"),
        ("0-130:96.1.0*255", "Manufacturer-specific (abstract), channel 130"),
        ("0-0:240.1.0*255", "Manufacturer-specific (abstract)"),
    ],
)
def test_words(code, words):
    assert describe(ObisCode.parse(code)) == words


@given(st.binary(min_size=6, max_size=6))
def test_every_code_has_some_words(octets):
    assert describe(ObisCode.from_octets(octets))


def test_no_words_are_left_unfinished():
    for a in (0, 1, 4, 6, 7, 8):
        for c, d, e in itertools.product(range(128), range(0, 128, 3), (0, 1, 5, 255)):
            words = describe(ObisCode(a, 0, c, d, e))
            assert words == words.strip()
            assert not set(words) & set("{}"), words
            assert ", ," not in words


@pytest.mark.parametrize(
    ("medium", "table"),
    [(0, tables.ABSTRACT_OBJECTS), (1, tables.ELECTRICITY_OBJECTS)],
    ids=["abstract", "electricity"],
)
def test_every_entry_is_found(medium, table):
    for key, words in table.items():
        exact = key.count(".") == 2
        found = describe(
            ObisCode.parse(f"{medium}.0.{key}{'' if exact else ('.77', '.0.77')[key.count('.') == 0]}.255")
        )
        assert found == words if exact else found.startswith(words.removesuffix(" {nth}")), key


def test_the_tables_of_electricity_have_no_holes():
    assert set(tables.LOSSES) == set(range(1, 29)) | set(range(31, 51)) | set(range(51, 91))
    assert set(tables.POWERS) | set(tables.PLAIN) == set(range(1, 21))
    assert set(range(47)) - set(tables.PROCESSING) == set()
    assert tables.ENERGY_PROCESSING.issubset(tables.PROCESSING)
