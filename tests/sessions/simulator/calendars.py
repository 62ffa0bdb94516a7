"""Calendars for tests, as a meter type writes them."""

from __future__ import annotations

from typing import Any

SCRIPTS = "0-0:10.0.100*255"


def day(number: int, *switches: tuple[str, int]) -> dict[str, Any]:
    return {
        "day_id": number,
        "day_schedule": [
            {"start_time": start, "script_logical_name": SCRIPTS, "script_selector": rate} for start, rate in switches
        ],
    }


def week(name: str, *days: int) -> dict[str, Any]:
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return {"week_profile_name": name, **dict(zip(names, days, strict=True))}


def season(name: str, start: str, week: str) -> dict[str, Any]:
    return {"season_profile_name": name, "season_start": start, "week_name": week}


SUMMER_AND_WINTER = {
    "calendar_name_active": "two seasons",
    "season_profile_active": [
        season("summer", "*-04-01 00:00:00", "summer"),
        season("winter", "*-10-01 00:00:00", "winter"),
    ],
    "week_profile_table_active": [week("summer", 1, 1, 1, 1, 1, 2, 2), week("winter", 3, 3, 3, 3, 3, 2, 2)],
    "day_profile_table_active": [
        day(1, ("06:00:00", 1), ("22:00:00", 2)),
        day(2, ("00:00:00", 2)),
        day(3, ("00:00:00", 2), ("05:30:00", 1), ("10:15:00", 3), ("23:00:00", 2)),
        day(4, ("00:00:00", 4)),
    ],
}
HOLIDAYS = [
    {"index": 1, "specialday_date": "*-12-25", "day_id": 4},
    {"index": 2, "specialday_date": "2026-07-01", "day_id": 4},
]
CALENDAR = {"class_id": 20, "logical_name": "0-0:13.0.0*255", "values": SUMMER_AND_WINTER}
SPECIAL_DAYS = {"class_id": 11, "logical_name": "0-0:11.0.0*255", "values": {"entries": HOLIDAYS}}


def register(code: str, source: str, **more: Any) -> dict[str, Any]:
    given = {"class_id": 3, "logical_name": code, "source": source}
    return {**given, "type": "double-long-unsigned", "scaler": 0, "unit": 30, **more}


RATES = [register(f"1-0:1.8.{rate}*255", f"import_rate_{rate}") for rate in (1, 2, 3, 4)]
TOTAL = register("1-0:1.8.0*255", "energy_import")
ACTIVATION = {
    "class_id": 6,
    "logical_name": "0-0:14.0.0*255",
    "registers": [each["logical_name"] for each in RATES],
    "values": {
        "mask_list": [{"mask_name": f"RATE {rate}", "index_list": [rate]} for rate in (1, 2, 3, 4)],
    },
}
