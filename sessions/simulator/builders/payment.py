"""Payment metering of a meter type: `values` as of every class that is declared. The account stands last in the file.

112 Credit, 113 Charge, 115 Token gateway
111 Account    credits, charges, gateway (logical names of objects that stand earlier), control: the switch that it opens
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from meters.cosem.data import array, octet_string
from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.builders.declared import declared_values, listed_class
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.control import ControlEvent, DisconnectControl
from sessions.simulator.payment.account import CHARGES, CREDITS, Account
from sessions.simulator.payment.charge import Charge
from sessions.simulator.payment.credit import Credit
from sessions.simulator.payment.tokens import TokenGateway

Kind = TypeVar("Kind", bound=CosemObject)


def credit(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    known = listed_class(entry)
    return Credit(known, name, declared_values(known, entry))


def charge(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    known = listed_class(entry)
    return Charge(known, name, declared_values(known, entry), context.clock, context.find)


def token_gateway(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    known, serial_number = listed_class(entry), context.settings.serial_number
    return TokenGateway(known, name, declared_values(known, entry), serial_number, context.clock.now)


def account(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    """ValueError where it names something that is no credit, charge or gateway."""
    known = listed_class(entry)
    credits = [_one(each, Credit, context) for each in entry["credits"]]
    charges = [_one(each, Charge, context) for each in entry["charges"]]
    control = _one(entry["control"], DisconnectControl, context)
    values = declared_values(known, entry)
    values[CREDITS] = array(*(octet_string(each.logical_name.octets) for each in credits))
    values[CHARGES] = array(*(octet_string(each.logical_name.octets) for each in charges))

    def supply(delivered: bool) -> None:
        control.fire(ControlEvent.LOCAL_RECONNECT if delivered else ControlEvent.LOCAL_DISCONNECT)

    made = Account(known, name, values, find=context.find, now=context.clock.now, supply=supply)
    for each in credits:
        each.changed = made.arrange
    for one in charges:
        one.collect, one.collects = made.collect, lambda: made.collects
    gateway = _one(entry["gateway"], TokenGateway, context)

    def receive(amount: int) -> None:
        made.receive(amount - sum(one.part_of_token(amount) for one in charges))

    gateway.receive = receive
    made.arrange()
    return made


def _one(name: str, kind: type[Kind], context: Context) -> Kind:
    found = context.named(name)
    if not isinstance(found, kind):
        raise ValueError(f"{name} is no {kind.__name__}")
    return found


BUILDERS: Final[Mapping[int, Builder]] = {111: account, 112: credit, 113: charge, 115: token_gateway}
