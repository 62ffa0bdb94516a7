"""Image transfer of a meter type: `block_size`, `verify_seconds`, `activate_seconds`, `public_key` (hex) of a maker who signs.

An image ends with its SHA-256, or with its maker's signature (see `images.py`). Its identifier is the version of the firmware
once it is active. `reboot = true`: the power fails for a moment then, which ends all associations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.images import ImageProof
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.image_transfer import ImageRules, ImageTransfer


def image_transfer(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    rules = ImageRules(
        block_size=entry.get("block_size", 256),
        proof=ImageProof(bytes.fromhex(entry.get("public_key", ""))),
        verify_seconds=entry.get("verify_seconds", 0),
        activate_seconds=entry.get("activate_seconds", 0),
    )
    if rules.block_size < 1:
        raise ValueError("block_size is at least 1")
    meter, reboot = context.meter, entry.get("reboot", False)

    def activated(identifier: bytes) -> None:
        context.firmware.active = identifier
        if reboot:
            meter.security.after_answer(meter.power_cycle)

    context.meter.memory.add(f"{meter.server_sap} firmware", context.firmware)
    return ImageTransfer(name, rules, now=context.clock.host, activated=activated)


BUILDERS: Final[Mapping[int, Builder]] = {18: image_transfer}
