"""Recorded conversations: the frames of a trace, reassembled into the APDUs of both sides.

A trace is an object of a JSON list with `id`, `transport` ("hdlc" or "wrapper"), `frames` (`hex`, and `dir`: "tx" for the client,
"rx" for the meter) and, where they were published, `keys`. Octets are read with our own codecs; what the JSON says beside them
(parsed values, APDUs) is not used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from sessions.dlms.errors import DlmsError
from sessions.dlms.hdlc.address import HdlcAddress
from sessions.dlms.hdlc.frame import FLAG, FrmrFrame, HdlcFrame, InfoFrame, SnrmFrame, UaFrame
from sessions.dlms.hdlc.parameters import HdlcParameters, decode_hdlc_parameters
from sessions.dlms.hdlc.stream import Found, FrameReader
from sessions.dlms.wrapper import WrapperReader

LLC: Final = (b"\xe6\xe6\x00", b"\xe6\xe7\x00")
"""What stands before an APDU in an HDLC frame: of the client, of the meter."""


class TraceError(ValueError):
    """A trace that cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class TraceKeys:
    """Keys as they were published with a trace."""

    guek: bytes = field(default=b"", repr=False)
    gak: bytes = field(default=b"", repr=False)
    client_system_title: bytes = b""
    server_system_title: bytes = b""


@dataclass(frozen=True, slots=True)
class TracedApdu:
    """One APDU and who said it to whom."""

    from_client: bool
    client_sap: int
    octets: bytes


@dataclass(slots=True)
class Trace:
    """A conversation. `address` is the meter's on an HDLC line; its upper part, or the wrapper port, is the server SAP."""

    identifier: str
    title: str
    framing: Literal["hdlc", "wrapper"]
    keys: TraceKeys
    apdus: list[TracedApdu] = field(default_factory=list)
    server_sap: int | None = None
    address: HdlcAddress | None = None
    parameters: HdlcParameters = field(default_factory=HdlcParameters)
    frmr_information: bytes | None = None


def load_trace(path: Path, identifier: str) -> Trace:
    """The trace with this id from a JSON file."""
    try:
        items = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise TraceError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise TraceError(f"{path.name} is no JSON: {error}") from None
    traces = {item.get("id"): item for item in items if isinstance(item, dict)} if isinstance(items, list) else {}
    if identifier not in traces:
        known = ", ".join(str(key) for key, item in traces.items() if item.get("frames"))
        raise TraceError(f"{path.name} has no trace “{identifier}”; with frames: {known or 'none'}")
    return read_trace(traces[identifier])


def read_trace(item: Mapping[str, Any]) -> Trace:
    """The trace of one JSON object."""
    identifier, framing = str(item.get("id")), item.get("transport")
    if framing not in ("hdlc", "wrapper") or not item.get("frames"):
        raise TraceError(f"{identifier} cannot be replayed: frames over HDLC or the wrapper are needed, not {framing}")
    try:
        trace = Trace(identifier, str(item.get("title", identifier)), framing, _keys(item.get("keys") or {}))
        frames = [(frame["dir"] == "tx", bytes.fromhex(frame["hex"])) for frame in item["frames"]]
        (_Hdlc(trace) if framing == "hdlc" else _Wrapper(trace)).read(frames)
    except (KeyError, ValueError, TypeError, DlmsError) as error:
        raise TraceError(f"{identifier}: {error}") from None
    if trace.server_sap is None:
        raise TraceError(f"{identifier}: no frame of it can be read")
    return trace


def _keys(table: Mapping[str, str]) -> TraceKeys:
    names = {"guek": "guek", "gak": "gak", "client_title": "client_system_title", "system_title": "server_system_title"}
    return TraceKeys(**{ours: bytes.fromhex(table[theirs]) for theirs, ours in names.items() if table.get(theirs)})


def strip_llc(octets: bytes) -> bytes:
    """Without the LLC octets, where there are some."""
    return octets[3:] if octets[:3] in LLC else octets


class _Hdlc:
    """Puts the segments of both directions together, and notes what the meter said on the link."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._readers = {True: FrameReader(), False: FrameReader()}
        self._segments = {True: b"", False: b""}
        self._sequence: dict[bool, int | None] = {True: None, False: None}

    def read(self, frames: list[tuple[bool, bytes]]) -> None:
        for from_client, octets in frames:
            for frame in self._found(from_client, octets):
                self._note(from_client, frame)

    def _found(self, from_client: bool, octets: bytes) -> Iterator[HdlcFrame]:
        reader = self._readers[from_client]
        items = list(reader.feed(octets))
        if reader.pending:
            # A log that cut at flags lost the closing one where the FCS ended in 7E.
            items += reader.feed(bytes((FLAG,)))
        yield from (item.frame for item in items if isinstance(item, Found))

    def _note(self, from_client: bool, frame: HdlcFrame) -> None:
        server, client = (frame.destination, frame.source) if from_client else (frame.source, frame.destination)
        if self._trace.address is None:
            self._trace.address, self._trace.server_sap = server, server.upper
        if isinstance(frame, SnrmFrame):
            self._sequence = {True: None, False: None}
        elif isinstance(frame, UaFrame) and frame.information:
            self._trace.parameters = decode_hdlc_parameters(frame.information)
        elif isinstance(frame, FrmrFrame):
            self._trace.frmr_information = frame.information
        elif isinstance(frame, InfoFrame) and frame.send_sequence != self._sequence[from_client]:
            self._sequence[from_client] = frame.send_sequence
            self._segments[from_client] += frame.information
            if not frame.segmented:
                apdu = strip_llc(self._segments[from_client])
                self._segments[from_client] = b""
                self._trace.apdus.append(TracedApdu(from_client, client.upper, apdu))


class _Wrapper:
    """Frames carry whole APDUs; the ports are the SAPs."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._readers = {True: WrapperReader(), False: WrapperReader()}

    def read(self, frames: list[tuple[bool, bytes]]) -> None:
        for from_client, octets in frames:
            for frame, _ in self._readers[from_client].feed(octets):
                ports = (frame.source, frame.destination)
                client, server = ports if from_client else ports[::-1]
                if self._trace.server_sap is None:
                    self._trace.server_sap = server
                self._trace.apdus.append(TracedApdu(from_client, client, frame.apdu))
