"""The manners of one meter: which quirks it has always, and which faults by chance; and the meter behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meters.cosem.data import Data
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor
from sessions.dlms.axdr import decode_data
from sessions.dlms.hdlc.stream import Found, FrameReader
from sessions.dlms.selective_access import SelectiveAccess
from sessions.simulator.device import Caller, LogicalDevice
from sessions.simulator.exchange import ServerExchange
from sessions.simulator.faults import Chance
from sessions.simulator.objects.base import Value
from sessions.simulator.quirks import QUIRKS
from sessions.simulator.quirks.quirk import Quirk, Talk
from sessions.simulator.server import Server

if TYPE_CHECKING:
    from sessions.dlms.apdu.errors import ExceptionResponse
    from sessions.simulator.service import Room


@dataclass(frozen=True, slots=True)
class Manners:
    """`quirks`: always; `faults`: each with its chance (of one answer, value or frame), drawn by `seed`."""

    quirks: tuple[str, ...] = ()
    faults: tuple[tuple[str, float], ...] = ()
    seed: int = 0

    def uses(self, which: str) -> list[Use]:
        """The quirks with their chances. `which`: what draws, so that two conversations draw each for itself."""
        named = [*((name, 1.0) for name in self.quirks), *self.faults]
        return [Use(QUIRKS[name], Chance(chance, f"{self.seed}:{which}:{name}")) for name, chance in named]


def read_manners(quirks: object, faults: Mapping[str, Any]) -> Manners | None:
    """Of a meter's `quirks` and its table `faults` in a lab file; ValueError names what there is not. None: it has none."""
    if not isinstance(quirks, Sequence) or isinstance(quirks, str):
        raise ValueError(f"quirks is a list of names, not {quirks!r}")
    given = dict(faults)
    seed = given.pop("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"faults: seed is a whole number, 0 or more, not {seed!r}")
    for name in (*quirks, *given):
        if name not in QUIRKS:
            raise ValueError(f"there is no quirk {name!r}; there are {', '.join(sorted(QUIRKS))}")
    for name, chance in given.items():
        if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
            raise ValueError(f"faults: {name} is a chance from 0 to 1, not {chance!r}")
    return Manners(tuple(quirks), tuple(given.items()), seed) if quirks or given else None


@dataclass(frozen=True, slots=True)
class Use:
    """A quirk that is sometimes there."""

    quirk: Quirk
    chance: Chance


class QuirkyDevice:
    """A meter with manners: a `LogicalDevice` that answers as the one behind it does, but for its values' quirks."""

    def __init__(self, device: LogicalDevice, manners: Manners) -> None:
        self._device = device
        self._manners = manners
        self._talks = 0
        self._uses = manners.uses("device")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def get(self, caller: Caller, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None) -> Value:
        value = self._device.get(caller, descriptor, selection)
        hooks = [use.quirk.value for use in self._uses if use.quirk.value is not None and use.chance.strikes()]
        if not hooks:
            return value
        data = value if isinstance(value, Data) else decode_data(b"".join(value.parts))
        for hook in hooks:
            data = hook(descriptor, data)
        return data

    def exchange(self, client_sap: int, random: Callable[[int], bytes]) -> ServerExchange:
        """Whom a client of this meter talks to."""
        self._talks += 1
        return QuirkyExchange(self, client_sap, random, self._manners.uses(f"{client_sap}:{self._talks}"))

    def frames(self, octets: bytes) -> bytes:
        """HDLC frames of this meter as they leave."""
        uses = [use for use in self._uses if use.quirk.frame is not None]
        if not uses:
            return octets
        frames = [item.frame for item in FrameReader().feed(octets) if isinstance(item, Found)]
        out = b""
        for frame in frames:
            hook = next((use.quirk.frame for use in uses if use.chance.strikes()), None)
            out += frame.encode() if hook is None else b"".join(hook(frame))
        return out


class QuirkyExchange(ServerExchange):
    """What leaves for one client of a meter with manners."""

    def __init__(
        self, device: LogicalDevice, client_sap: int, random: Callable[[int], bytes], uses: Iterable[Use]
    ) -> None:
        super().__init__(device, client_sap, random)
        self._uses = list(uses)
        self._talk = Talk()
        self.server = _QuirkyServer(device, client_sap, random, self._uses, self._talk)

    def receive_apdu(self, octets: bytes) -> list[bytes]:
        talk = self._talk
        talk.received, talk.request, talk.clear = octets, None, b""
        answers = super().receive_apdu(octets)
        talk.clear_said.append(talk.clear)
        unchanged = answers
        for use in self._uses:
            if use.quirk.apdus is not None and use.chance.strikes():
                answers = use.quirk.apdus(talk, answers)
        talk.said += unchanged
        return answers


class _QuirkyServer(Server):
    """Between the services and the protection of their answers."""

    def __init__(
        self,
        device: LogicalDevice,
        client_sap: int,
        random: Callable[[int], bytes],
        uses: Iterable[Use],
        talk: Talk,
    ) -> None:
        super().__init__(device, client_sap, random)
        self._uses = list(uses)
        self._talk = talk

    def _serve(self, request: Apdu, room: Room) -> bytes | ExceptionResponse | None:
        for use in self._uses:
            if use.quirk.request is not None:
                request = use.quirk.request(request)
        self._talk.request = request
        answer = super()._serve(request, room)
        for use in self._uses:
            if use.quirk.answer is not None and isinstance(answer, bytes) and use.chance.strikes():
                answer = use.quirk.answer(self._talk, answer)
        self._talk.clear = answer if isinstance(answer, bytes) else b""
        return answer

    def protect(self, octets: bytes) -> bytes:
        for use in self._uses:
            if use.quirk.push is not None and use.chance.strikes():
                octets = use.quirk.push(octets)
        return super().protect(octets)


def mannered(device: LogicalDevice, manners: Manners | None) -> LogicalDevice:
    """The meter, behind its manners where it has some."""
    return device if manners is None else QuirkyDevice(device, manners)


def exchange_for(device: LogicalDevice, client_sap: int, random: Callable[[int], bytes]) -> ServerExchange:
    """The server of one client over one link."""
    if isinstance(device, QuirkyDevice):
        return device.exchange(client_sap, random)
    return ServerExchange(device, client_sap, random)


def text_hooks(manners: Manners | None) -> list[Callable[[bytes], bytes]]:
    """What becomes of the text of a meter with these manners."""
    uses = [] if manners is None else manners.uses("text")
    return [_sometimes(use.chance, use.quirk.text) for use in uses if use.quirk.text is not None]


def push_hooks(manners: Manners | None) -> list[Callable[[bytes], bytes]]:
    """What becomes of the notifications that a meter with these manners sends out by itself."""
    uses = [] if manners is None else manners.uses("push")
    return [_sometimes(use.chance, use.quirk.push) for use in uses if use.quirk.push is not None]


def _sometimes(chance: Chance, hook: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda octets: hook(octets) if chance.strikes() else octets


def frames_of(device: LogicalDevice, octets: bytes) -> bytes:
    """HDLC frames as this meter sends them."""
    return device.frames(octets) if isinstance(device, QuirkyDevice) and octets else octets
