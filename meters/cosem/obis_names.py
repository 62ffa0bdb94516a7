"""What an OBIS code means, in words (IEC 62056-6-1; EN 13757-1 for the other media)."""

from __future__ import annotations

from typing import Final

from meters.cosem.obis import ObisCode

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

# -- electricity: C names the quantity, D the processing, E the rate or harmonic -----------------------------------------

_POWERS: Final = {
    1: ("Active {} import (+A)", "W"),
    2: ("Active {} export (-A)", "W"),
    3: ("Reactive {} import (+R)", "var"),
    4: ("Reactive {} export (-R)", "var"),
    5: ("Reactive {} quadrant I", "var"),
    6: ("Reactive {} quadrant II", "var"),
    7: ("Reactive {} quadrant III", "var"),
    8: ("Reactive {} quadrant IV", "var"),
    9: ("Apparent {} import", "VA"),
    10: ("Apparent {} export", "VA"),
    15: ("Active {} |+A| + |-A|", "W"),
    16: ("Active {} |+A| - |-A|", "W"),
    17: ("Active {} quadrant I", "W"),
    18: ("Active {} quadrant II", "W"),
    19: ("Active {} quadrant III", "W"),
    20: ("Active {} quadrant IV", "W"),
}
_PLAIN: Final = {11: "Current", 12: "Voltage", 13: "Power factor", 14: "Frequency"}
_PHASES: Final = {0: "", 20: " L1", 40: " L2", 60: " L3"}
_SPECIAL: Final = {
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
_PROCESSING: Final = {
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
    46: "contracted value",
    49: "average of recording interval 1",
    50: "average of recording interval 2",
    55: "test average",
    58: "test",
}
_ENERGY_PROCESSING: Final = frozenset({8, 9, 10, 17, 18, 19, 20, 29, 30, 58})

# -- codes that mean one object: C.D.E, or C.D with any E ------------------------------------------------------------------

_GENERAL_ELECTRICITY: Final = {
    "0.1.0": "Billing period counter",
    "0.1.1": "Number of billing periods available",
    "0.1.2": "Time stamp of the last billing period",
    "0.2.0": "Active firmware identifier",
    "0.2.1": "Parameter record number",
    "0.2.2": "Time switch program number",
    "0.2.8": "Active firmware signature",
    "0.3.0": "Meter constant, active energy LED",
    "0.3.1": "Meter constant, reactive energy LED",
    "0.4.2": "Transformer ratio, current (numerator)",
    "0.4.3": "Transformer ratio, voltage (numerator)",
    "0.6.0": "Nominal voltage",
    "0.6.1": "Basic current",
    "0.6.2": "Nominal frequency",
    "0.6.3": "Maximum current",
    "0.8.0": "Measurement period 1",
    "0.8.4": "Recording interval 1",
    "0.8.5": "Recording interval 2",
    "0.9.1": "Local time",
    "0.9.2": "Local date",
    "96.1": "Metering point identifier",
    "96.5": "Internal operating status",
    "98.1": "Billing profile 1",
    "98.2": "Billing profile 2",
    "99.1": "Load profile 1",
    "99.2": "Load profile 2",
    "99.3.0": "Load profile during test",
    "99.10.1": "Voltage dip profile",
    "99.10.2": "Voltage swell profile",
    "99.10.3": "Voltage cut profile",
    "99.97": "Power failure event log",
    "99.98": "Event log",
    "99.99": "Certification data log",
}
_ABSTRACT: Final = {
    "0.1.0": "Billing period counter",
    "0.1.1": "Number of billing periods available",
    "0.1.2": "Time stamp of the last billing period",
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
    "10.0.106": "Disconnect control script table",
    "10.0.107": "Image activation script table",
    "10.0.108": "Push script table",
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
    "16.0": "Register monitor",
    "16.1": "Alarm monitor",
    "16.2": "Parameter monitor",
    "17.0": "Limiter",
    "18.0": "Array manager",
    "19.0": "Payment account",
    "20.0.0": "Optical port setup",
    "20.0.1": "Electrical port setup",
    "21.0": "Standard readout",
    "22.0.0": "HDLC setup",
    "24.0.0": "M-Bus slave port setup",
    "24.1.0": "M-Bus client",
    "24.2": "M-Bus value",
    "24.3": "M-Bus profile",
    "24.4.0": "M-Bus disconnect control",
    "24.5.0": "M-Bus control log",
    "24.6.0": "M-Bus master port setup",
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
    "31.0.0": "Wireless M-Bus setup",
    "40.0": "Association",
    "41.0.0": "SAP assignment",
    "42.0.0": "COSEM logical device name",
    "43.0": "Security setup",
    "43.1": "Invocation counter",
    "43.2": "Data protection",
    "44.0": "Image transfer",
    "44.1": "Function control",
    "66.0": "Compact data",
    "96.1": "Device identifier",
    "96.2.0": "Number of configuration changes",
    "96.2.1": "Date of the last configuration change",
    "96.2.5": "Date of the last calibration",
    "96.2.12": "Date of the last clock synchronisation",
    "96.2.13": "Date of the last firmware activation",
    "96.3.0": "State of the input/output control signals",
    "96.3.10": "Disconnect control",
    "96.3.20": "Arbitrator",
    "96.4": "Internal control signals",
    "96.5": "Internal operating status",
    "96.6.0": "Battery use time",
    "96.6.1": "Battery charge",
    "96.6.3": "Battery voltage",
    "96.6.6": "Remaining battery use time",
    "96.7.0": "Number of power failures, all phases",
    "96.7.1": "Number of power failures, L1",
    "96.7.2": "Number of power failures, L2",
    "96.7.3": "Number of power failures, L3",
    "96.7.5": "Number of long power failures, all phases",
    "96.7.9": "Number of long power failures, any phase",
    "96.7.10": "Time of the last power failure, all phases",
    "96.7.15": "Duration of the last power failure, all phases",
    "96.7.19": "Duration of the last long power failure, any phase",
    "96.7.20": "Threshold of a long power failure",
    "96.7.21": "Number of power failures, any phase",
    "96.8": "Operating time",
    "96.9.0": "Ambient temperature",
    "96.9.1": "Ambient pressure",
    "96.9.2": "Relative humidity",
    "96.10": "Status register",
    "96.11": "Event code",
    "96.12": "Communication port parameter",
    "96.13.0": "Consumer message on the port",
    "96.13.1": "Consumer message on the display",
    "96.14": "Currently active tariff",
    "96.15": "Event counter",
    "96.20.0": "Meter opened, events",
    "96.20.5": "Terminal cover opened, events",
    "96.20.15": "Strong magnetic field, events",
    "97.97": "Error register",
    "97.98.0": "Alarm register 1",
    "97.98.1": "Alarm register 2",
    "97.98.10": "Alarm filter 1",
    "97.98.20": "Alarm descriptor 1",
    "98.1": "Billing profile 1",
    "98.2": "Billing profile 2",
    "99.1": "Load profile 1",
    "99.2": "Load profile 2",
    "99.3.0": "Load profile during test",
    "99.98": "Event log",
}
_GAS: Final = {
    1: "Forward volume, undisturbed",
    2: "Forward volume, disturbed",
    3: "Forward volume, absolute",
    4: "Reverse volume, undisturbed",
    5: "Reverse volume, disturbed",
    6: "Reverse volume, absolute",
    11: "Forward volume of the converter, undisturbed",
    12: "Forward volume of the converter, disturbed",
    13: "Forward volume of the converter, absolute",
    41: "Absolute temperature",
    42: "Absolute pressure",
    43: "Flow rate",
    45: "Density",
    51: "Correction factor",
    52: "Conversion factor",
    53: "Compressibility",
    54: "Superior calorific value",
}
_GAS_CONDITIONS: Final = {0: "at metering conditions", 1: "corrected", 2: "at base conditions"}
_WATER: Final = {1: "Volume", 2: "Flow rate", 3: "Forward temperature"}
_HEAT: Final = {
    1: "Energy",
    2: "Volume",
    3: "Mass",
    8: "Energy",
    9: "Flow rate",
    10: "Flow temperature",
    11: "Return temperature",
    12: "Temperature difference",
    13: "Pressure",
}
_PERIODS: Final = {
    1: "of the last period",
    2: "at the set date",
    3: "at the billing date",
    4: "minimum",
    5: "maximum",
    6: "test",
}


def describe(obis: ObisCode) -> str:
    """The meaning in words: `Active energy import (+A), rate 2`. What is not known is named by its medium."""
    words = _object_words(obis)
    if obis.b and obis.b not in (255,):
        words += f", channel {obis.b}"
    return words + _period(obis.f)


def _period(f: int) -> str:
    if f == 255:
        return ""
    if f <= 99:
        return f", billing period {f}"
    if 101 <= f <= 125:
        return ", last billing period" if f == 101 else f", {f - 100} billing periods ago"
    return ""


def _object_words(obis: ObisCode) -> str:
    if manufacturer_specific(obis):
        return f"Manufacturer-specific ({MEDIA.get(obis.a, f'medium {obis.a}')})"
    if obis.a == 1:
        return _electricity(obis)
    if obis.a == 0:
        return _looked_up(_ABSTRACT, obis) or "Abstract object"
    if obis.a == 7 and obis.c in _GAS:
        condition = _GAS_CONDITIONS.get(obis.d, "")
        return _with_rate(", ".join(part for part in (_GAS[obis.c], condition) if part), obis.e)
    if obis.a in (8, 9) and obis.c in _WATER:
        return _with_rate(_timed(_WATER[obis.c], obis.d), obis.e)
    if obis.a in (5, 6) and obis.c in _HEAT:
        return _with_rate(_timed(_HEAT[obis.c], obis.d), obis.e)
    return _looked_up(_ABSTRACT, obis) or f"{MEDIA.get(obis.a, f'Medium {obis.a}').capitalize()} object"


def manufacturer_specific(obis: ObisCode) -> bool:
    """Whether one of the value groups lies in its manufacturer's range."""
    return (
        128 <= obis.b <= 199
        or 128 <= obis.c <= 199
        or obis.c == 240
        or 128 <= obis.d <= 254
        or 128 <= obis.e <= 254
        or 128 <= obis.f <= 254
    )


def _looked_up(table: dict[str, str], obis: ObisCode) -> str:
    exact = table.get(f"{obis.c}.{obis.d}.{obis.e}")
    if exact:
        return exact
    general = table.get(f"{obis.c}.{obis.d}")
    if general:
        return general if obis.e in (0, 255) else f"{general}, number {obis.e}"
    return ""


def _timed(words: str, d: int) -> str:
    return f"{words} {_PERIODS[d]}" if d in _PERIODS else words


def _with_rate(words: str, e: int) -> str:
    return f"{words}, rate {e}" if 1 <= e <= 63 else words


def _electricity(obis: ObisCode) -> str:
    general = _looked_up(_GENERAL_ELECTRICITY, obis)
    if general:
        return general
    quantity = _quantity(obis)
    if not quantity:
        return _looked_up(_ABSTRACT, obis) or "Electricity object"
    processing = _PROCESSING.get(obis.d, f"processing {obis.d}")
    words = f"{quantity}, {processing}" if processing else quantity
    return f"{words}, {_rate(obis)}" if _rate(obis) else words


def _quantity(obis: ObisCode) -> str:
    if obis.c in _SPECIAL:
        return _SPECIAL[obis.c]
    phase = (obis.c - 1) // 20 * 20
    base = obis.c - phase
    if phase not in _PHASES or obis.c == 0:
        return ""
    if base in _PLAIN:
        return _PLAIN[base] + _PHASES[phase]
    if base in _POWERS:
        kind = "energy" if obis.d in _ENERGY_PROCESSING else "power"
        return _POWERS[base][0].format(kind) + _PHASES[phase]
    return ""


def _rate(obis: ObisCode) -> str:
    harmonic = obis.d in (7, 24) and (obis.c - 1) % 20 + 1 in _PLAIN
    if obis.e == 0:
        return "total" if obis.d in _ENERGY_PROCESSING else ""
    if harmonic:
        return {1: "fundamental", 124: "THD", 125: "TDD", 126: "all harmonics"}.get(obis.e, f"harmonic {obis.e}")
    return f"rate {obis.e}" if obis.e <= 63 else ""
