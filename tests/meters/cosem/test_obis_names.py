import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem import obis_tables as tables
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe, explain, manufacturer_specific


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
        ("7-0:3.0.0*255", "Gas forward volume, absolute, at metering conditions"),
        ("8-0:1.0.0*255", "Cold water volume"),
        ("6-0:1.0.0*255", "Heat energy"),
        ("1-0:150.7.0*255", "Manufacturer-specific (electricity)"),
        ("9-0:77.0.0*255", "Hot water, unknown value group C 77"),
        ("2-0:77.0.0*255", "Unknown value group A 2"),
        ("15-0:77.0.0*255", "Other, unknown value group C 77"),
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
        ("1-0:1.77.0*255", "Active power import (+A), unknown value group D 77"),
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
        ("1-0:81.7.99*255", "Phase angle, unknown value group E 99"),
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
        ("1-0:1.8.0*100", "Active energy import (+A), total, unknown value group F 100"),
        # electricity: general objects
        ("1-0:0.0.0*255", "Electricity identifier"),
        ("1-0:0.0.1*255", "Electricity identifier 2"),
        ("1-0:0.0.255*255", "Electricity identifiers, all"),
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
        ("0-0:65.64.1*255", "Utility table, unknown value group D 64"),
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
        ("7-0:13.2.0*255", "Gas forward volume of the converter, absolute, at base conditions"),
        ("7-0:3.7.0*255", "Gas forward volume, absolute, current difference of measurement period 1, corrected"),
        (
            "7-0:3.23.1*255",
            "Gas forward volume, absolute, last difference of measurement period 3, at base conditions, rate 1",
        ),
        ("7-0:43.16.0*255", "Gas flow rate, current average 2"),
        ("7-0:41.0.0*255", "Gas absolute temperature"),
        ("7-0:96.1.0*255", "Device identifier"),
        ("7-0:99.1.0*255", "Load profile 1"),
        ("6-0:8.0.0*255", "Heat power"),
        ("5-0:1.2.0*255", "Cooling energy, at the set date"),
        ("6-0:10.5.2*255", "Heat flow temperature, maximum, rate 2"),
        ("6-0:1.9.0*255", "Heat energy, unknown value group D 9"),
        ("4-0:2.0.0*255", "Heat cost allocator rated integral"),
        ("8-0:2.0.0*255", "Cold water flow rate"),
        # whose own numbers they are
        ("1-0:1.8.200*255", "Active energy import (+A), manufacturer-specific value group E 200"),
        ("0-130:96.1.0*255", "Device identifier, manufacturer-specific channel 130"),
        ("0-0:240.1.0*255", "Manufacturer-specific (abstract)"),
        # electricity: every quantity
        ("1-0:4.8.0*255", "Reactive energy export (-R), total"),
        ("1-0:6.8.0*255", "Reactive energy quadrant II, total"),
        ("1-0:7.8.0*255", "Reactive energy quadrant III, total"),
        ("1-0:8.8.0*255", "Reactive energy quadrant IV, total"),
        ("1-0:9.7.0*255", "Apparent power import"),
        ("1-0:10.8.0*255", "Apparent energy export, total"),
        ("1-0:12.7.0*255", "Voltage"),
        ("1-0:16.7.0*255", "Active power |+A| - |-A|"),
        ("1-0:17.8.0*255", "Active energy quadrant I, total"),
        ("1-0:20.8.0*255", "Active energy quadrant IV, total"),
        ("1-0:21.7.0*255", "Active power import (+A) L1"),
        ("1-0:42.8.0*255", "Active energy export (-A) L2, total"),
        ("1-0:63.8.1*255", "Reactive energy import (+R) L3, rate 1"),
        ("1-0:33.7.0*255", "Power factor L1"),
        ("1-0:74.7.0*255", "Frequency L3"),
        ("1-0:82.8.0*255", "Unitless quantity, time integral 1"),
        ("1-0:85.7.0*255", "Power factor export L1"),
        ("1-0:89.8.0*255", "Volt-squared hours, time integral 1"),
        ("1-0:90.7.0*255", "Sum of phase currents"),
        ("1-0:92.7.0*255", "Neutral voltage"),
        ("1-0:126.7.0*255", "Voltage L3-L1"),
        ("1-0:100.7.0*255", "Electricity, unknown value group C 100"),
        # electricity: every processing
        ("1-0:1.0.0*255", "Active power import (+A), billing period average"),
        ("1-0:1.1.0*255", "Active power import (+A), cumulative minimum"),
        ("1-0:1.3.0*255", "Active power import (+A), minimum"),
        ("1-0:1.10.0*255", "Active energy import (+A), excess over threshold, total"),
        ("1-0:1.16.0*255", "Active power import (+A), maximum 2"),
        ("1-0:1.17.0*255", "Active energy import (+A), time integral 7, total"),
        ("1-0:1.25.0*255", "Active power import (+A), last average 3"),
        ("1-0:1.27.0*255", "Active power import (+A), current average 5"),
        ("1-0:1.30.0*255", "Active energy import (+A), recording interval 2, total"),
        ("1-0:32.34.0*255", "Voltage L1, under-limit magnitude"),
        ("1-0:32.36.0*255", "Voltage L1, over-limit occurrences"),
        ("1-0:32.40.0*255", "Voltage L1, missing occurrences"),
        ("1-0:32.43.0*255", "Voltage L1, time threshold for under-limit"),
        ("1-0:1.46.0*255", "Active power import (+A), contracted value"),
        ("1-0:1.49.0*255", "Active power import (+A), average of recording interval 1"),
        ("1-0:1.54.0*255", "Active power import (+A), maximum of recording interval 2"),
        ("1-0:1.55.0*255", "Active power import (+A), test average"),
        ("1-0:1.56.0*255", "Active power import (+A), current average 4"),
        ("1-0:1.58.0*255", "Active energy import (+A), test, total"),
        ("1-0:11.58.0*255", "Current, time integral 4"),
        ("1-0:1.47.0*255", "Active power import (+A), unknown value group D 47"),
        # electricity: rates and harmonics
        ("1-0:1.8.63*255", "Active energy import (+A), rate 63"),
        ("1-0:1.8.64*255", "Active energy import (+A), unknown value group E 64"),
        ("1-0:1.8.255*255", "Active energy import (+A)"),
        ("1-0:31.7.120*255", "Current L1, harmonic 120"),
        ("1-0:31.7.121*255", "Current L1, unknown value group E 121"),
        ("1-0:31.7.125*255", "Current L1, TDD"),
        ("1-0:31.24.126*255", "Current L1, current average 3, all harmonics"),
        ("1-0:32.7.255*255", "Voltage L1"),
        ("1-0:81.7.62*255", "Phase angle U(L3) - I(L3)"),
        ("1-0:81.4.4*255", "Phase angle I(L1) - U(L1), current average"),
        ("1-0:83.8.29*255", "Losses, time integral 1, unknown value group E 29"),
        ("1-0:83.8.19*255", "Transformer losses, normalised RFe, time integral 1"),
        ("1-0:83.8.49*255", "Ampere-squared hours L1, time integral 1"),
        # electricity: history
        ("1-0:1.8.0*99", "Active energy import (+A), total, billing period 99"),
        ("1-0:1.8.0*125", "Active energy import (+A), total, 25 billing periods ago"),
        ("1-0:1.8.0*127", "Active energy import (+A), total, unknown value group F 127"),
        ("1-0:1.8.0*200", "Active energy import (+A), total, manufacturer-specific value group F 200"),
        # electricity: objects
        ("1-0:0.0.9*255", "Electricity identifier 10"),
        ("1-0:0.0.10*255", "General entry, unknown value group E 10"),
        ("1-0:0.1.3*255", "Billing period counter, scheme 2"),
        ("1-0:0.2.0*255", "Active firmware identifier"),
        ("1-0:0.2.3*255", "Ripple control program number"),
        ("1-0:0.3.3*255", "Meter constant, active energy output pulse"),
        ("1-0:0.4.7*255", "Overall transformer ratio (denominator)"),
        ("1-0:0.5.1*255", "Demand limit"),
        ("1-0:0.5.2*4", "Demand limit, rate 4"),
        ("1-0:0.6.3*255", "Maximum current"),
        ("1-0:0.7.1*255", "Input pulse constant, number 1"),
        ("1-0:0.8.8*255", "Measurement period for harmonics"),
        ("1-0:0.9.12*255", "Billing period reset lockout time"),
        ("1-0:0.10.3*255", "Line reactance losses coefficient"),
        ("1-0:0.11.1*255", "Measurement algorithm, active power"),
        ("1-0:0.77.0*255", "General entry, unknown value group D 77"),
        ("1-0:96.1.9*255", "Metering point identifier 10"),
        ("1-0:96.5.3*255", "Internal operating status, number 3"),
        ("1-0:96.10.2*255", "Current without voltage status"),
        ("1-0:98.2.3*101", "Billing profile 2, number 3, last billing period"),
        ("1-0:98.10.1*255", "Register table, number 1"),
        ("1-0:99.3.0*255", "Load profile during test"),
        ("1-0:99.10.2*255", "Voltage swell profile"),
        ("1-0:99.11.5*255", "Voltage harmonic profile, number 5"),
        ("1-0:99.13.0*255", "Voltage unbalance profile"),
        ("1-0:99.14.0*255", "Power quality profile"),
        ("1-0:99.98.0*255", "Event log"),
        ("1-0:99.99.0*255", "Certification data log"),
        # abstract objects
        ("0-0:0.1.0*255", "Billing period counter"),
        ("0-0:0.2.8*255", "Active firmware signature"),
        ("0-0:0.9.2*255", "Local date"),
        ("0-0:1.2.0*255", "Microseconds clock"),
        ("0-0:1.77.0*255", "Clock, unknown value group D 77"),
        ("0-0:2.1.0*255", "Auto connect"),
        ("0-0:10.0.1*255", "Maximum demand reset, end of billing period"),
        ("0-0:10.0.77*255", "Script table, unknown value group E 77"),
        ("0-0:10.0.125*255", "Broadcast script table"),
        ("0-0:11.0.1*255", "Special days table, number 1"),
        ("0-0:13.0.0*255", "Activity calendar"),
        ("0-0:14.0.0*255", "Register activation"),
        ("0-0:15.0.7*255", "Function control schedule"),
        ("0-0:16.1.9*255", "Alarm monitor, number 9"),
        ("0-0:16.1.10*255", "Monitor, unknown value group E 10"),
        ("0-0:17.0.0*255", "Limiter"),
        ("0-0:18.0.0*255", "Array manager"),
        ("0-0:19.3.0*255", "Payment account"),
        ("0-0:19.10.2*255", "Payment credit, number 2"),
        ("0-0:19.25.0*255", "Payment charge"),
        ("0-0:19.40.0*255", "Token gateway"),
        ("0-0:19.50.1*255", "Maximum credit limit"),
        ("0-0:19.59.2*255", "Maximum vend limit"),
        ("0-0:20.0.1*255", "Electrical port setup"),
        ("0-0:21.0.5*255", "Additional readout"),
        ("0-0:22.0.0*255", "HDLC setup"),
        ("0-0:23.2.0*255", "Twisted pair fatal errors"),
        ("0-1:24.4.0*255", "M-Bus disconnect control, channel 1"),
        ("0-1:24.77.0*255", "M-Bus, unknown value group D 77, channel 1"),
        ("0-0:25.9.0*255", "Push setup"),
        ("0-0:25.11.0*255", "LTE monitoring"),
        ("0-0:26.6.0*255", "S-FSK reporting system list"),
        ("0-0:27.2.0*255", "LLC type 3 setup"),
        ("0-0:28.7.0*255", "PRIME application identification"),
        ("0-0:29.2.0*255", "G3-PLC 6LoWPAN setup"),
        ("0-0:30.4.1*255", "ZigBee tunnel setup, number 1"),
        ("0-0:31.0.0*255", "Wireless M-Bus setup"),
        ("0-0:33.3.0*255", "HS-PLC HDLC SSAS setup"),
        ("0-0:41.0.0*255", "SAP assignment"),
        ("0-0:43.2.0*255", "Data protection"),
        ("0-0:44.1.0*255", "Function control"),
        ("0-0:66.0.3*255", "Compact data, number 3"),
        ("0-0:94.47.0*255", "Country-specific object (Norway)"),
        ("0-0:96.1.77*255", "Service entry, unknown value group E 77"),
        ("0-0:96.2.12*255", "Date of the last clock synchronisation"),
        ("0-0:96.3.4*255", "State of control signals, number 4"),
        ("0-0:96.4.0*255", "Internal control signals"),
        ("0-0:96.6.6*255", "Remaining battery use time"),
        ("0-0:96.8.0*255", "Operating time"),
        ("0-0:96.8.2*255", "Operating time, rate 2"),
        ("0-0:96.9.2*255", "Relative humidity"),
        ("0-0:96.10.10*255", "Status register, number 10"),
        ("0-0:96.11.0*255", "Event code"),
        ("0-0:96.12.5*255", "GSM field strength"),
        ("0-0:96.13.1*255", "Consumer message on the display"),
        ("0-0:96.14.15*255", "Currently active tariff, number 15"),
        ("0-0:96.14.16*255", "Service entry, unknown value group E 16"),
        ("0-0:96.16.0*255", "Profile entry signature"),
        ("0-0:96.20.15*255", "Strong magnetic field, events"),
        ("0-0:97.97.255*255", "Error registers, all"),
        ("0-0:97.98.20*255", "Alarm descriptor 1"),
        ("0-0:97.98.77*255", "Error or alarm entry, unknown value group E 77"),
        ("0-0:98.1.0*255", "Billing profile 1"),
        ("0-0:98.1.200*255", "Billing profile 1, manufacturer-specific value group E 200"),
        ("0-0:99.16.0*255", "Parameter monitor log"),
        ("0-0:99.77.0*255", "Profile, unknown value group D 77"),
        ("0-0:127.200.0*255", "Inactive object, manufacturer-specific value group D 200"),
        ("0-0:77.1.2*255", "Abstract, unknown value group C 77"),
        # gas
        ("7-0:1.0.0*255", "Gas forward volume, undisturbed, at metering conditions"),
        ("7-0:2.1.0*255", "Gas forward volume, disturbed, corrected"),
        ("7-0:6.3.0*255", "Gas reverse volume, absolute, at metering conditions, redundant"),
        ("7-0:7.0.0*255", "Gas forward volume of the encoder, at metering conditions"),
        ("7-0:23.2.0*255", "Gas forward volume of the logger, absolute, at base conditions"),
        ("7-0:33.2.0*255", "Gas forward energy, absolute, at base conditions"),
        ("7-0:66.0.0*255", "Gas reverse mass, absolute, at metering conditions"),
        (
            "7-0:3.12.0*255",
            "Gas forward volume, absolute, current difference of measurement period 2, at metering conditions",
        ),
        (
            "7-0:3.24.0*255",
            "Gas forward volume, absolute, current difference of billing period, at metering conditions",
        ),
        ("7-0:3.77.0*255", "Gas forward volume, absolute, unknown value group D 77"),
        ("7-0:42.0.0*255", "Gas absolute pressure"),
        ("7-0:43.13.0*255", "Gas flow rate, at standard conditions"),
        ("7-0:43.20.0*255", "Gas flow rate, last average 2"),
        ("7-0:48.0.0*255", "Gas differential pressure"),
        ("7-0:54.0.0*255", "Gas superior calorific value"),
        ("7-0:55.9.0*255", "Gas law deviation coefficient, unknown value group D 9"),
        ("7-0:70.8.0*255", "Gas analysis, component 8"),
        ("7-0:70.21.0*255", "Gas analysis, unknown value group D 21"),
        ("7-0:0.2.0*255", "Active firmware identifier"),
        ("7-0:80.0.0*255", "Gas, unknown value group C 80"),
        # water
        ("8-0:1.2.0*255", "Cold water volume, at the set date"),
        ("8-0:1.0.12*255", "Cold water volume, rate 12"),
        ("9-0:1.3.0*255", "Hot water volume, at the billing date"),
        ("9-0:3.4.0*255", "Hot water forward temperature, minimum"),
        ("8-0:96.1.0*255", "Device identifier"),
        ("8-0:10.0.1*255", "Cold water, unknown value group C 10"),
        # heat and cooling
        ("6-0:2.0.0*255", "Heat volume"),
        ("6-0:1.1.0*255", "Heat energy, of the last period"),
        ("6-0:12.0.0*255", "Heat temperature difference"),
        ("6-0:13.6.0*255", "Heat pressure, test"),
        ("5-0:8.5.0*255", "Cooling power, maximum"),
        ("5-0:11.0.64*255", "Cooling return temperature, unknown value group E 64"),
        # heat cost allocators
        ("4-0:1.0.0*255", "Heat cost allocator unrated integral"),
        ("4-0:3.0.0*255", "Heat cost allocator radiator surface temperature"),
        ("4-0:7.4.0*255", "Heat cost allocator room temperature, minimum"),
        # channels
        ("1-64:1.8.0*255", "Active energy import (+A), total, channel 64"),
        ("1-65:1.8.0*255", "Active energy import (+A), total, utility-specific channel 65"),
        ("1-210:1.8.0*255", "Active energy import (+A), total, reserved channel 210"),
        ("1-255:1.8.0*255", "Active energy import (+A), total"),
        ("3-0:1.8.0*255", "Unknown value group A 3"),
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


def place_of(key: str) -> str:
    """A code that the key means: the first number of each range, and 77 where any will do."""
    groups = [group.partition("-")[0] for group in key.split(".")]
    return ".".join(groups + ["0", "77"][len(groups) - 3 :] if len(groups) < 3 else groups)


@pytest.mark.parametrize(
    ("medium", "table"),
    [(0, tables.ABSTRACT_OBJECTS), (1, tables.ELECTRICITY_OBJECTS)],
    ids=["abstract", "electricity"],
)
def test_every_entry_is_found(medium, table):
    for key, words in table.items():
        found = describe(ObisCode.parse(f"{medium}.0.{place_of(key)}.255"))
        assert found.startswith(words.removesuffix(" {nth}").removesuffix(", rate")), key


def test_the_tables_of_electricity_have_no_holes():
    assert set(tables.LOSSES) == set(range(1, 29)) | set(range(31, 51)) | set(range(51, 91))
    assert set(tables.POWERS) | set(tables.PLAIN) == set(range(1, 21))
    assert set(range(47)) - set(tables.PROCESSING) == set()
    assert tables.ENERGY_PROCESSING.issubset(tables.PROCESSING)


# -- each group by itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "1-0:1.8.2*255",
            [
                "electricity",
                "no channel",
                "Active energy import (+A)",
                "time integral 1",
                "rate 2",
                "current value, or not used",
            ],
        ),
        (
            "1-1:32.7.0*101",
            ["electricity", "channel 1", "Voltage L1", "instantaneous value", "total", "last billing period"],
        ),
        (
            "1-0:1.77.99*127",
            [
                "electricity",
                "no channel",
                "Active power import (+A)",
                "unknown value group D 77",
                "unknown value group E 99",
                "unknown value group F 127",
            ],
        ),
        (
            "8-0:1.0.0*255",
            ["cold water", "no channel", "Cold water volume", "current value", "total", "current value, or not used"],
        ),
        (
            "6-0:10.5.2*3",
            ["heat", "no channel", "Heat flow temperature", "maximum", "rate 2", "billing period 3"],
        ),
        (
            "7-200:43.16.0*255",
            [
                "gas",
                "reserved channel 200",
                "Gas flow rate",
                "current average 2",
                "total",
                "current value, or not used",
            ],
        ),
        (
            "0-0:96.1.3*255",
            [
                "abstract",
                "no channel",
                "Device identifier 4",
                "part of the name of the object",
                "part of the name of the object",
                "current value, or not used",
            ],
        ),
        (
            "1-0:0.5.1*4",
            [
                "electricity",
                "no channel",
                "Demand limit 4",
                "part of the name of the object",
                "part of the name of the object",
                "limit",
            ],
        ),
        (
            "3-255:1.2.255*255",
            [
                "reserved",
                "channel not specified",
                "Unknown value group A 3",
                "part of the name of the object",
                "not specified",
                "current value, or not used",
            ],
        ),
    ],
)
def test_what_each_group_means(code, words):
    obis = ObisCode.parse(code)
    meanings = explain(obis)
    assert [meaning.words for meaning in meanings] == words
    assert [(meaning.group, meaning.value) for meaning in meanings] == list(zip("ABCDEF", obis.groups, strict=True))


@given(st.binary(min_size=6, max_size=6))
def test_every_group_of_every_code_means_something(octets):
    assert all(meaning.words for meaning in explain(ObisCode.from_octets(octets)))


@pytest.mark.parametrize(
    ("code", "specific"),
    [
        ("1-0:1.8.0*255", False),
        ("1-130:1.8.0*255", True),
        ("1-0:130.8.0*255", True),
        ("1-0:240.8.0*255", True),
        ("1-0:1.130.0*255", True),
        ("1-0:1.8.254*255", True),
        ("1-0:1.8.0*254", True),
        ("1-210:210.8.0*127", False),
    ],
)
def test_whose_own_numbers_they_are(code, specific):
    assert manufacturer_specific(ObisCode.parse(code)) is specific
