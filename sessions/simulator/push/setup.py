"""Push setup of a simulated meter (40, versions 0 to 3): its method collects what the list names, and the meter says it unasked.

Where send_destination_and_method names a destination the push goes out to it, over TCP, UDP or HDLC, at the time and as often as
the other attributes say. Without one it is said to the client that is served next. What the simulator cannot do (SMS, XML, …)
is refused when it is written. Method 2 forgets when a push was confirmed last; confirmation_parameters have no effect.
Source: Blue Book, Push setup; what is sent is a DataNotification (IEC 62056-5-3) with one structure, in the order of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from meters.cosem.data import Data, array, date_time, enum, integer, octet_string, structure
from meters.cosem.date_time import CosemDateTime
from meters.cosem.interface_class import InterfaceClass
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.general_protection import KeyChoice
from sessions.dlms.protection import Protection
from sessions.simulator.objects.base import Denied
from sessions.simulator.objects.declared import DeclaredObject
from sessions.simulator.objects.listed_values import Find, ListedValue
from sessions.simulator.push.rules import A_XDR, Destination, PushProtection, PushRules, RepetitionDelay, Transport
from sessions.simulator.push.windows import Windows

OBJECT_LIST, DESTINATION, WINDOW, RANDOMISATION, RETRIES, DELAY = 2, 3, 4, 5, 6, 7
CLIENT_SAP, PROTECTION, METHOD, LAST_CONFIRMATION = 9, 10, 11, 13
"""Numbers of the attributes; those from 8 on belong to version 2."""
CONFIRMED_METHOD: Final = 2
SIGNATURE: Final = 3
PROTECTIONS: Final = (Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.AUTHENTICATED_ENCRYPTED)
"""protection_type 0, 1 and 2."""
IDENTIFIED, WRAPPED, AGREED = 0, 1, 2
SCHEMES: Final = {b"\x01": KeyChoice.ONE_PASS, b"\x02": KeyChoice.STATIC_UNIFIED}
"""key_parameters of an agreed key."""
NOWHERE: Final = structure(enum(Transport.TCP), octet_string(b""), enum(A_XDR))

Say = Callable[[Data, bool], None]
"""A message for the client that is served next, and whether it is to be confirmed."""
Send = Callable[[Data, PushRules], None]
"""A message for a destination of its own."""


class PushSetup(DeclaredObject):
    """`client_sap`: who is meant where the version has no push_client_SAP; `confirmed` where it has no push_operation_method.

    `say` and `send` take what is pushed.
    """

    def __init__(
        self,
        known: InterfaceClass,
        logical_name: ObisCode,
        values: Mapping[int, Data],
        find: Find,
        *,
        say: Say,
        send: Send,
        client_sap: int,
        confirmed: bool = False,
    ) -> None:
        given = {DESTINATION: NOWHERE, CLIENT_SAP: integer(client_sap if client_sap <= 0x7F else 0), **values}
        super().__init__(known, logical_name, given)
        self._find = find
        self._say = say
        self._send = send
        self._client_sap = client_sap
        self._confirmed = confirmed
        for number in self._values:
            self._understand(number, self._values[number], whole=False)
        self.methods[1] = self._push

    # -- what is written ---------------------------------------------------------------------------------------------

    def _store(self, number: int, value: Data) -> None:
        before = self._values[number]
        super()._store(number, value)
        try:
            self._understand(number, value)
        except (ValueError, TypeError, IndexError):
            self._values[number] = before
            raise Denied(DataAccessResult.OTHER_REASON) from None

    def _understand(self, number: int, value: Data, *, whole: bool = True) -> None:
        """ValueError, TypeError, IndexError where this meter could not act upon it. `whole`: all its objects stand."""
        match number:
            case 2:
                for each in value:
                    listed = ListedValue.from_data(each)
                    if whole and self._missing(listed):
                        raise ValueError(f"there is no {listed.source}")
            case 3:
                self._destination(value)
            case 4:
                Windows.from_data(value)
            case 10:
                for each in value:
                    read_protection(each)

    def _missing(self, listed: ListedValue) -> bool:
        return self._found(listed.source.class_id, listed.source.logical_name) is None

    @staticmethod
    def _destination(value: Data) -> Destination | None:
        service, text, message = (each.value for each in value)
        if message != A_XDR:
            raise ValueError("only A-XDR is spoken")
        transport = Transport(service)
        return Destination.parse(transport, text.decode("ascii")) if text else None

    # -- what is pushed ----------------------------------------------------------------------------------------------

    def _push(self, parameters: Data | None) -> None:
        body = structure(*(ListedValue.from_data(each).read(self._found) for each in self._values[OBJECT_LIST]))
        rules = self._rules()
        if rules is None:
            self._say(body, self.is_confirmed)
        else:
            self._send(body, rules)

    def _found(self, class_id: int, logical_name: ObisCode) -> Any:
        return (
            self
            if (class_id, logical_name) == (self.class_id, self.logical_name)
            else self._find(class_id, logical_name)
        )

    @property
    def is_confirmed(self) -> bool:
        return self._values[METHOD].value == CONFIRMED_METHOD if METHOD in self._values else self._confirmed

    def _rules(self) -> PushRules | None:
        destination = self._destination(self._values[DESTINATION])
        if destination is None:
            return None
        sap = self._values[CLIENT_SAP].value & 0xFF if CLIENT_SAP in self._values else 0
        return PushRules(
            setup=self.logical_name,
            destination=destination,
            client_sap=sap or self._client_sap,
            randomisation=self._values[RANDOMISATION].value,
            retries=self._values[RETRIES].value,
            delay=self._delay(),
            windows=Windows.from_data(self._values[WINDOW]),
            confirmed=self.is_confirmed,
            protections=tuple(read_protection(each) for each in self._values.get(PROTECTION, array())),
            was_confirmed=self._was_confirmed,
        )

    def _delay(self) -> RepetitionDelay:
        value = self._values[DELAY]
        return RepetitionDelay(*(each.value for each in value)) if value.constructed else RepetitionDelay(value.value)

    def _was_confirmed(self, moment: Any) -> None:
        if LAST_CONFIRMATION in self._values:
            self._values[LAST_CONFIRMATION] = date_time(CosemDateTime.from_datetime(moment))


def read_protection(element: Data) -> PushProtection:
    """An element of push_protection_parameters; ValueError for what the simulator cannot do.

    The broadcast key is for what clients say to many meters: nobody's push is under it.
    """
    kind, options = element
    recipient, other_information, key_info = options[2].value, options[3].value, options[4]
    if len(recipient) not in (0, 8):
        raise ValueError("a system title has 8 octets")
    if kind.value == SIGNATURE:
        return PushProtection(signed=True, recipient=recipient, other_information=other_information)
    return PushProtection(PROTECTIONS[kind.value], _key_choice(key_info), False, recipient, other_information)


def _key_choice(key_info: Data) -> KeyChoice:
    kind, options = key_info
    if kind.value == IDENTIFIED:
        if options[0].value != 0:
            raise ValueError("only the global unicast key serves a push")
        return KeyChoice.GUEK
    if kind.value == WRAPPED:
        return KeyChoice.WRAPPED
    if kind.value == AGREED and options[0].value in SCHEMES:
        return SCHEMES[options[0].value]
    raise ValueError("this is no key")
