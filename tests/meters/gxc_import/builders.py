"""Device files for tests: several devices, and posted forms that take them as they are proposed."""

from __future__ import annotations

from typing import Any

from meters.gxc_import.forms import ImportForm
from meters.gxc_import.preview import Preview, preview_of
from meters.gxc_import.uploads import UploadedFile
from tests.meters.test_gxc import HEAD, REGISTER, TAIL

GUEK = "000102030405060708090A0B0C0D0E0F"
GAK = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
TITLE = "4D57424D57422D31"
NET = (
    "<MediaType>Gurux.Net.GXNet</MediaType>"
    "<MediaSettings>&lt;IP&gt;127.0.0.1&lt;/IP&gt;&lt;Port&gt;4059&lt;/Port&gt;</MediaSettings>"
)
COM8 = (
    "<MediaType>Gurux.Serial.GXSerial</MediaType>"
    "<MediaSettings>&lt;Port&gt;COM8&lt;/Port&gt;&lt;Bps&gt;19200&lt;/Bps&gt;</MediaSettings>"
)
CIPHERED = (
    "<Name>Management</Name><Manufacturer>ACM</Manufacturer><Authentication>HighGMAC</Authentication>"
    "<Security>AuthenticationEncryption</Security><ClientAddress>1</ClientAddress><InterfaceType>1</InterfaceType>"
    f"<BlockCipherKey>{GUEK}</BlockCipherKey><AuthenticationKey>{GAK}</AuthenticationKey><SystemTitle>{TITLE}</SystemTitle>"
    f"<InvocationCounter>8</InvocationCounter>{NET}"
)
PUBLIC = f"<Name>Public</Name><Manufacturer>ACM</Manufacturer><InterfaceType>1</InterfaceType>{NET}"


def device_file(*devices: str, name: str = "acme.gxc", objects: str = REGISTER) -> UploadedFile:
    """A file with these devices, each as its elements."""
    parts = [f"{each}<Objects2>{objects}</Objects2>" for each in devices]
    return UploadedFile(name, f"{HEAD}{'</GXDLMSDevice><GXDLMSDevice>'.join(parts)}{TAIL}".encode())


def previewed(*files: UploadedFile) -> Preview:
    return preview_of(files)


def posted(preview: Preview, **changes: Any) -> dict[str, Any]:
    """What the preview's form sends when nothing is changed but `changes`, by field name with `__` for `-`."""
    form = ImportForm(preview)
    data = {}
    for part in (*form.devices, *form.places.values(), *form.types.values()):
        for bound in part:
            value = bound.value()
            if value not in (None, "", False):
                data[bound.html_name] = "on" if value is True else value
    return {**data, **{name.replace("__", "-"): value for name, value in changes.items()}}
