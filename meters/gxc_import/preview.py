"""All devices of the uploaded files, with what would become of each: what the preview shows and the import works on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from meters.gxc import GxcError, read_each
from meters.gxc_import.plan import DevicePlan, plan_device
from meters.gxc_import.uploads import UploadedFile

MAX_DEVICES = 150
"""At once: what is chosen for each comes back as fields of one form."""


@dataclass(frozen=True, slots=True)
class FileRefusal:
    """A file, or a device of one, that cannot be read, and why."""

    file: str
    why: str


@dataclass(slots=True)
class Preview:
    """`devices` can be imported, or say why not; `refusals` cannot even be read."""

    files: list[str] = field(default_factory=list)
    devices: list[DevicePlan] = field(default_factory=list)
    refusals: list[FileRefusal] = field(default_factory=list)

    def proposals(self) -> list[str]:
        """A serial number for each device: the same for ways into one meter, and for no others."""
        by_meter: dict[Any, str] = {}
        taken: set[str] = set()
        for each in self.devices:
            if each.meter_key not in by_meter:
                proposal, number = each.serial_number, 2
                while proposal in taken:
                    proposal, number = f"{each.serial_number[:58]}-{number}", number + 1
                taken.add(proposal)
                by_meter[each.meter_key] = proposal
        return [by_meter[each.meter_key] for each in self.devices]


def preview_of(files: Iterable[UploadedFile]) -> Preview:
    """Read and plan the devices of all files."""
    preview = Preview()
    for file in files:
        preview.files.append(file.name)
        try:
            found = read_each(file.octets)
        except GxcError as error:
            preview.refusals.append(FileRefusal(file.name, str(error)))
            continue
        for number, each in enumerate(found, 1):
            if isinstance(each, GxcError):
                preview.refusals.append(FileRefusal(file.name, str(each)))
            elif len(preview.devices) < MAX_DEVICES:
                preview.devices.append(plan_device(each, file=file.name, number=number))
            else:
                why = f"device {number}: {MAX_DEVICES} devices are imported at once. Upload this file again afterwards."
                preview.refusals.append(FileRefusal(file.name, why))
    return preview
