"""Labels to print: a QR code of a meter's permanent address, which a phone at the bench opens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO

import segno
from django.http import HttpRequest
from django.urls import reverse

from meters.models import Meter

LABELS_A_SHEET = 24
"""Three columns of eight, 64 x 33.9 mm, as A4 sheets of labels have them."""
MAX_LABELS = 20 * LABELS_A_SHEET
QUIET_ZONE = 2
"""Modules of white around a code: ISO/IEC 18004 asks for four; the label's own margin is the rest."""


@dataclass(frozen=True, slots=True)
class Label:
    """What is printed for one meter. `svg` is markup, made here of a matrix of modules alone."""

    meter: Meter
    address: str
    svg: str


def permanent_address(request: HttpRequest, meter: Meter) -> str:
    """Where a meter is found as long as it keeps its serial number, with this site's name."""
    return request.build_absolute_uri(reverse("meters:meter_by_serial", args=[meter.serial_number]))


def qr_svg(text: str) -> str:
    """A QR code as SVG without a style, a script or a size of its own: its frame gives it one."""
    code, written = segno.make(text, error="m", micro=False, boost_error=False), BytesIO()
    code.save(
        written, kind="svg", border=QUIET_ZONE, omitsize=True, xmldecl=False, svgclass=None, lineclass=None, nl=False
    )
    return written.getvalue().decode()


def label_of(request: HttpRequest, meter: Meter) -> Label:
    address = permanent_address(request, meter)
    return Label(meter, address, qr_svg(address))


def sheets_of(request: HttpRequest, meters: Iterable[Meter]) -> Iterator[list[Label]]:
    """The labels of each sheet."""
    labels = [label_of(request, meter) for meter in meters]
    for start in range(0, len(labels), LABELS_A_SHEET):
        yield labels[start : start + LABELS_A_SHEET]
