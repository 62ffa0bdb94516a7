"""Why something of a device file is left out, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Left:
    """One thing that is left out, or was taken otherwise: what, what the file says of it (never a secret), and why."""

    what: str
    said: str
    why: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an element is left out; `shown`: whether its text may be repeated, which nothing may that could hold a secret."""

    why: str
    shown: bool = True


NO_PLACE: Final = "The workbench does not know this setting. Its value is not repeated here: it may be secret."
BY_SERIAL: Final = (
    "Made of the serial number as such tools usually do (its last four digits and 1000). Check it in the preview."
)
EVERYONE: Final = (
    "Taken so. In two octets it means every station, and some meters answer to it when they are alone: where this one does "
    "not, enter its own address, or 4 address octets."
)
PLC: Final = "An address of power line communication, which the workbench does not talk."
GATEWAY: Final = "The meter is behind a gateway: the workbench does not talk through one yet."

OTHERS: Final[Mapping[str, Reason]] = {
    "Conformance": Reason("The workbench proposes all that it can do; the meter chooses."),
    "InactivityTimeout": Reason(
        "How long a silent link stays is the meter's to say; the workbench takes what it says."
    ),
    "KeyAgreementScheme": Reason("Keys are agreed when the workbench is asked to: it is no setting of an association."),
    "Signing": Reason("Services are not signed in associations of the workbench."),
    "SignCipherOrder": Reason("Services are not signed in associations of the workbench."),
    "Standard": Reason("National rules are quirks of a meter type here: propose them at the type."),
    "StartProtocol": Reason("How it is framed says whether there is a sign-on: check the meter's framing."),
    "Challenge": Reason(
        "A fixed challenge would let old answers be played back: each association has a new one.", False
    ),
    "MACSourceAddress": Reason(PLC),
    "MacDestinationAddress": Reason(PLC),
    "NetworkId": Reason(GATEWAY),
    "PhysicalDeviceAddress": Reason(GATEWAY),
    "GbtWindowSize": Reason("General blocks are acknowledged as the workbench finds best."),
    "ServiceClass": Reason("Requests of the workbench are confirmed."),
    "Priority": Reason("Requests of the workbench have the usual priority."),
    "UseProtectedRelease": Reason("Whether a release is protected follows from the association."),
    "SecurityChangeCheck": Reason("A setting of the tool itself."),
    "Verbose": Reason("A setting of the tool itself."),
    "ResendCount": Reason("How often is asked again is a setting of the workbench's links."),
}
UNREAD: Final[Mapping[str, str]] = {
    "UIType": "How the tool shows a value: the workbench shows it as its class says.",
    "UIValueType": "How the tool shows a value: the workbench shows it as its class says.",
    "Values": "The tool's own words for values.",
    "AccessSelector": "Which selective access there is: the workbench asks as the class says.",
    "Guek": "A key that the tool would write into the meter, not one in use: not imported, not repeated.",
    "Gak": "A key that the tool would write into the meter, not one in use: not imported, not repeated.",
    "Gbek": "A key that the tool would write into the meter, not one in use: not imported, not repeated.",
    "Service": "A value that was read once: values are read from the meter.",
    "Message": "A value that was read once: values are read from the meter.",
}
UNREAD_ELSE: Final = "A value that was read once, or a setting of the tool: values are read from the meter."
