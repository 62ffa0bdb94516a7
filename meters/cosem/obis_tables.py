"""The words behind the value groups of OBIS codes (IEC 62056-6-1; EN 13757-1 for the other media).

Keys of the object tables are `C.D.E`, `C.D` (any E) or `C` (any D and E), a group may be a range (`96.1.0-9`); the most exact
key counts. In their words `{nth}` stands for the ordinal of E where E counts from 0: nothing for the first, 2 for the second.
"""

from __future__ import annotations

from typing import Final

MEDIA: Final = {
    0: "abstract",
    1: "electricity",
    4: "heat cost allocator",
    5: "cooling",
    6: "heat",
    7: "gas",
    8: "cold water",
    9: "hot water",
    15: "other",
}

# -- electricity: C names the quantity, D the processing, E the rate or the harmonic ---------------------------------------

PHASES: Final = {0: "", 20: " L1", 40: " L2", 60: " L3"}
"""What is added to C, and the phase that it means."""

POWERS: Final = {
    1: "Active {} import (+A)",
    2: "Active {} export (-A)",
    3: "Reactive {} import (+R)",
    4: "Reactive {} export (-R)",
    5: "Reactive {} quadrant I",
    6: "Reactive {} quadrant II",
    7: "Reactive {} quadrant III",
    8: "Reactive {} quadrant IV",
    9: "Apparent {} import",
    10: "Apparent {} export",
    15: "Active {} |+A| + |-A|",
    16: "Active {} |+A| - |-A|",
    17: "Active {} quadrant I",
    18: "Active {} quadrant II",
    19: "Active {} quadrant III",
    20: "Active {} quadrant IV",
}
"""Quantities whose time integral is an energy."""

PLAIN: Final = {11: "Current", 12: "Voltage", 13: "Power factor", 14: "Frequency"}

SINGLE: Final = {
    81: "Phase angle",
    82: "Unitless quantity",
    83: "Losses",
    84: "Power factor export",
    85: "Power factor export L1",
    86: "Power factor export L2",
    87: "Power factor export L3",
    88: "Ampere-squared hours",
    89: "Volt-squared hours",
    90: "Sum of phase currents",
    91: "Neutral current",
    92: "Neutral voltage",
    124: "Voltage L1-L2",
    125: "Voltage L2-L3",
    126: "Voltage L3-L1",
}

PROCESSING: Final = {
    0: "billing period average",
    1: "cumulative minimum",
    2: "cumulative maximum",
    3: "minimum",
    4: "current average",
    5: "last average",
    6: "maximum",
    7: "",
    8: "",
    9: "billing period",
    10: "excess over threshold",
    11: "cumulative minimum 2",
    12: "cumulative maximum 2",
    13: "minimum 2",
    14: "current average 2",
    15: "last average 2",
    16: "maximum 2",
    17: "time integral 7",
    18: "time integral 8",
    19: "time integral 9",
    20: "time integral 10",
    21: "cumulative minimum 3",
    22: "cumulative maximum 3",
    23: "minimum 3",
    24: "current average 3",
    25: "last average 3",
    26: "maximum 3",
    27: "current average 5",
    28: "current average 6",
    29: "recording interval 1",
    30: "recording interval 2",
    31: "under-limit threshold",
    32: "under-limit occurrences",
    33: "under-limit duration",
    34: "under-limit magnitude",
    35: "over-limit threshold",
    36: "over-limit occurrences",
    37: "over-limit duration",
    38: "over-limit magnitude",
    39: "missing threshold",
    40: "missing occurrences",
    41: "missing duration",
    42: "missing magnitude",
    43: "time threshold for under-limit",
    44: "time threshold for over-limit",
    45: "time threshold for missing",
    46: "contracted value",
    49: "average of recording interval 1",
    50: "average of recording interval 2",
    51: "minimum of recording interval 1",
    52: "minimum of recording interval 2",
    53: "maximum of recording interval 1",
    54: "maximum of recording interval 2",
    55: "test average",
    56: "current average 4",
    58: "test",
}
TIME_INTEGRALS: Final = {8: "time integral 1", 9: "time integral 2", 10: "time integral 3", 58: "time integral 4"}
"""The words for quantities whose integral is no energy: ampere hours are not a total of amperes."""

ENERGY_PROCESSING: Final = frozenset({8, 9, 10, 17, 18, 19, 20, 29, 30, 58})

HARMONIC_QUANTITIES: Final = frozenset({11, 12, 15, 31, 32, 35, 51, 52, 55, 71, 72, 75, 90, 91, 92, 124, 125, 126})
HARMONIC_PROCESSING: Final = frozenset({7, 24})
HARMONICS: Final = {
    1: "fundamental",
    124: "THD",
    125: "TDD",
    126: "all harmonics",
    127: "all harmonics to nominal",
}
LAST_HARMONIC: Final = 120
VOLTAGES: Final = frozenset({12, 32, 52, 72})
"""With D 32 their E is a cell of the UNIPEDE table of voltage dips."""

ANGLES: Final = {0: "U(L1)", 1: "U(L2)", 2: "U(L3)", 4: "I(L1)", 5: "I(L2)", 6: "I(L3)", 7: "I(N)"}
"""C 81: the tens of E are the reference, the ones the quantity whose angle it is."""


def _losses() -> dict[int, str]:
    """C 83, by E: the same 18 for the sum and for each phase."""
    kinds = [
        f"{kind} {part}" for kind in ("Active", "Reactive") for part in ("line losses", "transformer losses", "losses")
    ]
    eighteen = [f"{kind}{sign}" for kind in kinds for sign in (" +", " -", "")]
    compensated = [
        f"Compensated {kind} {amount} {sign}"
        for kind in ("active", "reactive")
        for sign in "+-"
        for amount in ("gross", "net")
    ]
    words = dict(enumerate(eighteen, 1))
    words |= {19: "Transformer losses, normalised RFe", 20: "Line losses, normalised RCu"}
    words |= dict(enumerate(compensated, 21))
    for start, phase in ((31, "L1"), (51, "L2"), (71, "L3")):
        words |= {start + number: f"{loss}, {phase}" for number, loss in enumerate(eighteen)}
        words |= {start + 18: f"Ampere-squared hours {phase}", start + 19: f"Volt-squared hours {phase}"}
    return words


LOSSES: Final = _losses()

ELECTRICITY_OBJECTS: Final = {
    "0.0.0-9": "Electricity identifier {nth}",
    "0.0.255": "Electricity identifiers, all",
    "0.1.0": "Billing period counter",
    "0.1.1": "Number of billing periods available",
    "0.1.2": "Billing period time stamp",
    "0.1.3": "Billing period counter, scheme 2",
    "0.1.4": "Number of billing periods available, scheme 2",
    "0.1.5": "Billing period time stamp, scheme 2",
    "0.2.0": "Active firmware identifier",
    "0.2.1": "Parameter record number",
    "0.2.2": "Time switch program number",
    "0.2.3": "Ripple control program number",
    "0.2.4": "Connection diagram identifier",
    "0.2.7": "Passive calendar name",
    "0.2.8": "Active firmware signature",
    "0.3.0": "Meter constant, active energy LED",
    "0.3.1": "Meter constant, reactive energy LED",
    "0.3.2": "Meter constant, apparent energy LED",
    "0.3.3": "Meter constant, active energy output pulse",
    "0.3.4": "Meter constant, reactive energy output pulse",
    "0.3.5": "Meter constant, apparent energy output pulse",
    "0.3.6": "Meter constant, volt-squared hours LED",
    "0.3.7": "Meter constant, ampere-squared hours LED",
    "0.3.8": "Meter constant, volt-squared hours output pulse",
    "0.3.9": "Meter constant, ampere-squared hours output pulse",
    "0.4.0": "Reading factor for power",
    "0.4.1": "Reading factor for energy",
    "0.4.2": "Transformer ratio, current (numerator)",
    "0.4.3": "Transformer ratio, voltage (numerator)",
    "0.4.4": "Overall transformer ratio (numerator)",
    "0.4.5": "Transformer ratio, current (denominator)",
    "0.4.6": "Transformer ratio, voltage (denominator)",
    "0.4.7": "Overall transformer ratio (denominator)",
    "0.6.0": "Nominal voltage",
    "0.6.1": "Basic current",
    "0.6.2": "Nominal frequency",
    "0.6.3": "Maximum current",
    "0.6.4": "Reference voltage for power quality",
    "0.6.5": "Reference voltage for auxiliary supply",
    "0.7": "Input pulse constant",
    "0.8.0": "Measurement period 1",
    "0.8.1": "Measurement period 2",
    "0.8.2": "Measurement period 3, instantaneous values",
    "0.8.3": "Measurement period 4, test values",
    "0.8.4": "Recording interval 1",
    "0.8.5": "Recording interval 2",
    "0.8.6": "Billing period 1",
    "0.8.7": "Billing period 2",
    "0.8.8": "Measurement period for harmonics",
    "0.9.0": "Time since the last end of a billing period",
    "0.9.1": "Local time",
    "0.9.2": "Local date",
    "0.9.5": "Weekday",
    "0.9.6": "Time of the last reset",
    "0.9.7": "Date of the last reset",
    "0.9.8": "Output pulse duration",
    "0.9.9": "Clock synchronisation window",
    "0.9.10": "Clock synchronisation method",
    "0.9.11": "Clock time shift limit",
    "0.9.12": "Billing period reset lockout time",
    "0.10.0": "Transformer magnetic losses coefficient",
    "0.10.1": "Transformer iron losses coefficient",
    "0.10.2": "Line resistance losses coefficient",
    "0.10.3": "Line reactance losses coefficient",
    "0.11.1": "Measurement algorithm, active power",
    "0.11.2": "Measurement algorithm, active energy",
    "0.11.3": "Measurement algorithm, reactive power",
    "0.11.4": "Measurement algorithm, reactive energy",
    "0.11.5": "Measurement algorithm, apparent power",
    "0.11.6": "Measurement algorithm, apparent energy",
    "0.11.7": "Measurement algorithm, power factor",
    "96.1.0-9": "Metering point identifier {nth}",
    "96.5.0": "Internal operating status",
    "96.5.1-5": "Internal operating status",
    "96.10.0": "Missing voltage status",
    "96.10.1": "Missing current status",
    "96.10.2": "Current without voltage status",
    "96.10.3": "Auxiliary supply status",
    "99.3.0": "Load profile during test",
    "99.10.1": "Voltage dip profile",
    "99.10.2": "Voltage swell profile",
    "99.10.3": "Voltage cut profile",
    "99.11": "Voltage harmonic profile",
    "99.12": "Current harmonic profile",
    "99.13.0": "Voltage unbalance profile",
    "99.14": "Power quality profile",
    "99.97": "Power failure event log",
    "99.98": "Event log",
    "99.99": "Certification data log",
}

# -- what any medium may have ---------------------------------------------------------------------------------------------

_FAILED_PHASES: Final = ("all phases", "L1", "L2", "L3", "auxiliary supply")
_FAILURES: Final = (
    "Number of power failures",
    "Number of long power failures",
    "Time of the last power failure",
    "Duration of the last power failure",
)


def _power_failures() -> dict[str, str]:
    """96.7: four quantities for each of the supplies, then the threshold and the sums."""
    words = [f"{failure}, {phase}" for failure in _FAILURES for phase in _FAILED_PHASES]
    return {f"96.7.{e}": each for e, each in enumerate(words)} | {
        "96.7.9": "Number of long power failures, any phase",
        "96.7.19": "Duration of the last long power failure, any phase",
        "96.7.20": "Threshold of a long power failure",
        "96.7.21": "Number of power failures, any phase",
    }


def _numbered(place: str, first: int, words: str, count: int = 10) -> dict[str, str]:
    """`count` objects from E = `first` on, numbered from 1."""
    return {f"{place}.{first + number}": f"{words} {number + 1}" for number in range(count)}


ABSTRACT_OBJECTS: Final = {
    "0.1.0": "Billing period counter",
    "0.1.1": "Number of billing periods available",
    "0.1.2": "Billing period time stamp",
    "0.1.3": "Billing period counter, scheme 2",
    "0.1.4": "Number of billing periods available, scheme 2",
    "0.1.5": "Billing period time stamp, scheme 2",
    "0.2.0": "Active firmware identifier",
    "0.2.1": "Active firmware version",
    "0.2.8": "Active firmware signature",
    "0.9.1": "Local time",
    "0.9.2": "Local date",
    "1.0": "Clock",
    "1.1": "UNIX clock",
    "1.2": "Microseconds clock",
    "2.0.0": "Modem configuration",
    "2.1.0": "Auto connect",
    "2.2.0": "Auto answer",
    "10.0.0": "Global meter reset",
    "10.0.1": "Maximum demand reset, end of billing period",
    "10.0.100": "Tariffication script table",
    "10.0.101": "Activate test mode",
    "10.0.102": "Activate normal mode",
    "10.0.103": "Set output signals",
    "10.0.104": "Switch optical test output",
    "10.0.105": "Power quality measurement script table",
    "10.0.106": "Disconnect control script table",
    "10.0.107": "Image activation script table",
    "10.0.108": "Push script table",
    "10.0.109": "Load profile control script table",
    "10.0.110": "M-Bus profile control script table",
    "10.0.111": "Function control script table",
    "10.0.125": "Broadcast script table",
    "11.0": "Special days table",
    "12.0": "Schedule",
    "13.0": "Activity calendar",
    "14.0": "Register activation",
    "15.0.0": "End of billing period schedule",
    "15.0.1": "Disconnect control schedule",
    "15.0.2": "Image activation schedule",
    "15.0.3": "Output control schedule",
    "15.0.4": "Push schedule",
    "15.0.5": "Load profile control schedule",
    "15.0.6": "M-Bus profile control schedule",
    "15.0.7": "Function control schedule",
    "16.0": "Register monitor",
    "16.1.0-9": "Alarm monitor",
    "16.2": "Parameter monitor",
    "17.0": "Limiter",
    "18.0": "Array manager",
    "19.0-9.0": "Payment account",
    "19.10-19": "Payment credit",
    "19.20-29": "Payment charge",
    "19.40-49": "Token gateway",
    "19.50-59.1": "Maximum credit limit",
    "19.50-59.2": "Maximum vend limit",
    "20.0.0": "Optical port setup",
    "20.0.1": "Electrical port setup",
    "21.0.0": "Standard readout",
    "21.0.1": "Display readout",
    "21.0.2": "Alternate display readout",
    "21.0.3": "Service display readout",
    "21.0.4": "List of configurable meter data",
    "21.0.5": "Additional readout",
    "22.0.0": "HDLC setup",
    "23.0.0": "Twisted pair setup",
    "23.1.0": "Twisted pair MAC address",
    "23.2.0": "Twisted pair fatal errors",
    "23.3": "Twisted pair readout",
    "24.0.0": "M-Bus slave port setup",
    "24.1.0": "M-Bus client",
    "24.2": "M-Bus value",
    "24.3": "M-Bus profile",
    "24.4.0": "M-Bus disconnect control",
    "24.5.0": "M-Bus control log",
    "24.6.0": "M-Bus master port setup",
    "24.8": "M-Bus server port setup",
    "24.9": "M-Bus diagnostic",
    "25.0.0": "TCP-UDP setup",
    "25.1.0": "IPv4 setup",
    "25.2.0": "MAC address setup",
    "25.3.0": "PPP setup",
    "25.4.0": "GPRS modem setup",
    "25.5.0": "SMTP setup",
    "25.6.0": "GSM diagnostic",
    "25.7.0": "IPv6 setup",
    "25.9.0": "Push setup",
    "25.10.0": "NTP setup",
    "25.11.0": "LTE monitoring",
    "26.0.0": "S-FSK physical and MAC setup",
    "26.1.0": "S-FSK active initiator",
    "26.2.0": "S-FSK synchronisation timeouts",
    "26.3.0": "S-FSK MAC counters",
    "26.5.0": "S-FSK LLC setup",
    "26.6.0": "S-FSK reporting system list",
    "27.0.0": "LLC type 1 setup",
    "27.1.0": "LLC type 2 setup",
    "27.2.0": "LLC type 3 setup",
    "28.0.0": "PRIME LLC setup",
    "28.1.0": "PRIME physical counters",
    "28.2.0": "PRIME MAC setup",
    "28.3.0": "PRIME MAC parameters",
    "28.4.0": "PRIME MAC counters",
    "28.5.0": "PRIME network administration",
    "28.6.0": "PRIME MAC address",
    "28.7.0": "PRIME application identification",
    "29.0.0": "G3-PLC MAC counters",
    "29.1.0": "G3-PLC MAC setup",
    "29.2.0": "G3-PLC 6LoWPAN setup",
    "30.0": "ZigBee SAS startup",
    "30.1": "ZigBee SAS join",
    "30.2": "ZigBee APS fragmentation",
    "30.3": "ZigBee network control",
    "30.4": "ZigBee tunnel setup",
    "31.0.0": "Wireless M-Bus setup",
    "33.0.0": "HS-PLC MAC setup",
    "33.1.0": "HS-PLC CPAS setup",
    "33.2.0": "HS-PLC IP SSAS setup",
    "33.3.0": "HS-PLC HDLC SSAS setup",
    "40.0": "Association",
    "41.0.0": "SAP assignment",
    "42.0.0": "COSEM logical device name",
    "43.0": "Security setup",
    "43.1": "Invocation counter",
    "43.2": "Data protection",
    "44.0": "Image transfer",
    "44.1": "Function control",
    "66.0": "Compact data",
    "93": "Consortium-specific object",
    "96.1.0-9": "Device identifier {nth}",
    "96.1.10": "Metering point identifier",
    "96.1.255": "Device identifiers, all",
    "96.2.0": "Number of configuration changes",
    "96.2.1": "Date of the last configuration change",
    "96.2.2": "Date of the last time switch program change",
    "96.2.3": "Date of the last ripple control program change",
    "96.2.4": "Status of the security switches",
    "96.2.5": "Date of the last calibration",
    "96.2.6": "Date of the next configuration change",
    "96.2.7": "Date of the passive calendar's activation",
    "96.2.10": "Number of protected configuration changes",
    "96.2.11": "Date of the last protected configuration change",
    "96.2.12": "Date of the last clock synchronisation",
    "96.2.13": "Date of the last firmware activation",
    "96.3.0": "State of the input/output control signals",
    "96.3.1": "State of the input control signals",
    "96.3.2": "State of the output control signals",
    "96.3.3-4": "State of control signals",
    "96.3.10": "Disconnect control",
    "96.3.20": "Arbitrator",
    **{f"96.3.{e}": f"Arbitrator {e - 19}" for e in range(21, 30)},
    "96.4": "Internal control signals",
    "96.5": "Internal operating status",
    "96.6.0": "Battery use time",
    "96.6.1": "Battery charge",
    "96.6.2": "Next battery change",
    "96.6.3": "Battery voltage",
    "96.6.4": "Initial battery capacity",
    "96.6.5": "Battery installation date",
    "96.6.6": "Remaining battery use time",
    "96.6.10": "Auxiliary supply use time",
    "96.6.11": "Auxiliary supply voltage",
    **_power_failures(),
    "96.8.0": "Operating time",
    "96.8.1-63": "Operating time, rate",
    "96.9.0": "Ambient temperature",
    "96.9.1": "Ambient pressure",
    "96.9.2": "Relative humidity",
    "96.10.1-10": "Status register",
    "96.11": "Event code",
    "96.12.1": "Number of connections of the port",
    "96.12.4": "Communication port parameter 1",
    "96.12.5": "GSM field strength",
    "96.12.6": "Telephone number or address of the device",
    "96.12.2-3": "Communication port parameter",
    "96.13.0": "Consumer message on the port",
    "96.13.1": "Consumer message on the display",
    "96.13.2-9": "Consumer message",
    "96.14.0-15": "Currently active tariff",
    "96.15": "Event counter",
    "96.16": "Profile entry signature",
    "96.20.0": "Meter opened, events",
    "96.20.5": "Terminal cover opened, events",
    "96.20.15": "Strong magnetic field, events",
    "96.20": "Tamper register",
    "97.97.255": "Error registers, all",
    "97.97.0-9": "Error register {nth}",
    **_numbered("97.98", 0, "Alarm register"),
    **_numbered("97.98", 10, "Alarm filter"),
    **_numbered("97.98", 20, "Alarm descriptor"),
    "97.98.255": "Alarm registers, filters and descriptors",
    "98.1": "Billing profile 1",
    "98.2": "Billing profile 2",
    "98.10": "Register table",
    "99.1": "Load profile 1",
    "99.2": "Load profile 2",
    "99.3.0": "Load profile during test",
    "99.12": "Connection profile",
    "99.13": "GSM diagnostic profile",
    "99.14": "Charge collection profile",
    "99.15": "Token credit profile",
    "99.16": "Parameter monitor log",
    "99.17": "Token transfer log",
    "99.18": "LTE monitoring profile",
    "99.98": "Event log",
    "127": "Inactive object",
}

ABSTRACT_AREAS: Final = {
    0: "General entry",
    1: "Clock",
    2: "Modem",
    10: "Script table",
    11: "Special days table",
    12: "Schedule",
    13: "Activity calendar",
    14: "Register activation",
    15: "Single action schedule",
    16: "Monitor",
    17: "Limiter",
    18: "Array manager",
    19: "Payment",
    20: "Local port",
    21: "Readout list",
    22: "HDLC setup",
    23: "Twisted pair",
    24: "M-Bus",
    25: "Network setup",
    26: "S-FSK",
    27: "LLC",
    28: "PRIME",
    29: "G3-PLC",
    30: "ZigBee",
    31: "Wireless M-Bus",
    33: "HS-PLC",
    40: "Association",
    41: "SAP assignment",
    42: "COSEM logical device name",
    43: "Security",
    44: "Image transfer",
    65: "Utility table",
    66: "Compact data",
    93: "Consortium-specific object",
    96: "Service entry",
    97: "Error or alarm entry",
    98: "List",
    99: "Profile",
}
"""C of the abstract objects: what is said of a code of which no more is known."""

COUNTRIES: Final = {
    0: "Finland",
    1: "USA",
    2: "Canada",
    3: "Serbia",
    7: "Russia",
    10: "Czech Republic",
    11: "Bulgaria",
    12: "Croatia",
    13: "Ireland",
    14: "Israel",
    15: "Ukraine",
    20: "Egypt",
    27: "South Africa",
    30: "Greece",
    31: "Netherlands",
    32: "Belgium",
    33: "France",
    34: "Spain",
    35: "Portugal",
    36: "Hungary",
    37: "Lithuania",
    38: "Slovenia",
    39: "Italy",
    40: "Romania",
    41: "Switzerland",
    42: "Slovakia",
    43: "Austria",
    44: "United Kingdom",
    45: "Denmark",
    46: "Sweden",
    47: "Norway",
    48: "Poland",
    49: "Germany",
    51: "Peru",
    52: "South Korea",
    55: "Brazil",
    60: "Malaysia",
    61: "Australia",
    62: "Indonesia",
    64: "New Zealand",
    65: "Singapore",
    66: "Thailand",
    81: "Japan",
    86: "China",
    90: "Turkey",
    91: "India",
    92: "Pakistan",
    96: "Saudi Arabia",
    97: "United Arab Emirates",
    98: "Iran",
}
"""C 94, by D."""

# -- the other media ------------------------------------------------------------------------------------------------------

_DIRECTIONS: Final = ("forward", "reverse")
_STATES: Final = ("undisturbed", "disturbed", "absolute")


def _gas_indexes() -> dict[int, str]:
    """Six indexes each: forward and reverse, undisturbed, disturbed and absolute."""
    groups = {1: "volume", 11: "volume of the converter", 21: "volume of the logger", 31: "energy", 61: "mass"}
    return {
        start + number: f"{direction} {quantity}, {state}"
        for start, quantity in groups.items()
        for number, (direction, state) in enumerate((way, state) for way in _DIRECTIONS for state in _STATES)
    }


GAS_INDEXES: Final = _gas_indexes() | {7: "forward volume of the encoder", 8: "reverse volume of the encoder"}
_CONDITIONS: Final = ("at metering conditions", "corrected", "at base conditions")
GAS_INDEX_PROCESSING: Final = {
    **dict(enumerate(_CONDITIONS)),
    3: "at metering conditions, redundant",
    **{
        6 + 6 * number + 3 * last + condition: f"{('current', 'last')[last]} difference of {period}, {words}"
        for number, period in enumerate((*(f"measurement period {count}" for count in (1, 2, 3)), "billing period"))
        for last in range(2)
        for condition, words in enumerate(_CONDITIONS)
    },
}
GAS_FLOW: Final = 43
GAS_FLOW_PROCESSING: Final = {
    **dict(enumerate(_CONDITIONS)),
    13: "at standard conditions",
    **{15 + number: f"current average {number + 1}" for number in range(4)},
    **{19 + number: f"last average {number + 1}" for number in range(4)},
}
GAS_ANALYSIS: Final = 70
GAS_QUANTITIES: Final = {
    41: "absolute temperature",
    42: "absolute pressure",
    GAS_FLOW: "flow rate",
    44: "velocity of sound",
    45: "density",
    46: "relative density",
    47: "gauge pressure",
    48: "differential pressure",
    49: "density of air",
    51: "correction factor",
    52: "conversion factor",
    53: "compressibility",
    54: "superior calorific value",
    55: "law deviation coefficient",
    GAS_ANALYSIS: "analysis",
}
GAS_ANALYSIS_COMPONENTS: Final = frozenset(range(8, 21)) | frozenset(range(60, 85))
"""D of the natural gas analysis: what each of them is, is told by the meter's maker."""


WATER: Final = {1: "volume", 2: "flow rate", 3: "forward temperature"}
HEAT: Final = {
    1: "energy",
    2: "volume",
    3: "mass",
    4: "flow volume",
    5: "flow mass",
    6: "return volume",
    7: "return mass",
    8: "power",
    9: "flow rate",
    10: "flow temperature",
    11: "return temperature",
    12: "temperature difference",
    13: "pressure",
}
HEAT_COST_ALLOCATOR: Final = {
    1: "unrated integral",
    2: "rated integral",
    3: "radiator surface temperature",
    4: "heating medium temperature",
    5: "flow temperature",
    6: "return temperature",
    7: "room temperature",
}
PERIODICAL: Final = {
    1: "of the last period",
    2: "at the set date",
    3: "at the billing date",
    4: "minimum",
    5: "maximum",
    6: "test",
}
"""D of heat, cooling, water and heat cost allocators; 0 is the current value."""
PERIODICAL_PREFIXES: Final = {
    4: "Heat cost allocator",
    5: "Cooling",
    6: "Heat",
    8: "Cold water",
    9: "Hot water",
}
