"""The foreign client over a blocking socket: its public API, in loops of our own."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.ecdsa import GXPrivateKey, GXPublicKey
from gurux_dlms.enums import Authentication, InterfaceType, Security
from gurux_dlms.objects.enums import SecuritySuite
from gurux_dlms.secure import GXDLMSSecureClient

from sessions.association_file import parse_association

TIMEOUT = 10.0
AUTHENTICATIONS = {
    "none": Authentication.NONE,
    "lls": Authentication.LOW,
    "hls-manufacturer": Authentication.HIGH,
    "hls-md5": Authentication.HIGH_MD5,
    "hls-sha1": Authentication.HIGH_SHA1,
    "hls-gmac": Authentication.HIGH_GMAC,
    "hls-sha256": Authentication.HIGH_SHA256,
    "hls-ecdsa": Authentication.HIGH_ECDSA,
}
UNCOMPRESSED = b"\x04"
ECDSA_CHALLENGE = bytes(range(1, 33))
SECURITIES = {
    "authenticated": Security.AUTHENTICATION,
    "encrypted": Security.ENCRYPTION,
    "authenticated-encrypted": Security.AUTHENTICATION_ENCRYPTION,
}


def quietly() -> contextlib.redirect_stdout[io.StringIO]:
    """The peer prints to stdout while it encrypts."""
    return contextlib.redirect_stdout(io.StringIO())


class Peer:
    """One association of the foreign client with a meter of ours, as the announcement describes it."""

    def __init__(self, announced: dict[str, Any], *, invocation_counter: int = 1, max_info: int | None = None) -> None:
        self.association = announced["association"]
        self.client = self._client(self.association)
        if max_info is not None:
            self.client.hdlcSettings.maxInfoRX = self.client.hdlcSettings.maxInfoTX = max_info
        self._cipher(self.association, invocation_counter)
        host, _, port = announced["endpoint"].removeprefix("tcp://").rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=TIMEOUT)

    @staticmethod
    def _client(association: dict[str, Any]) -> GXDLMSSecureClient:
        hdlc = association.get("hdlc", {})
        server = association["server_sap"]
        if "physical_address" in hdlc:
            server = GXDLMSSecureClient.getServerAddress(server, hdlc["physical_address"], hdlc["address_octets"])
        return GXDLMSSecureClient(
            True,
            association["client_sap"],
            server,
            AUTHENTICATIONS[association["authentication"]],
            association.get("secret", "text:").removeprefix("text:"),
            InterfaceType.HDLC if association["framing"] == "hdlc" else InterfaceType.WRAPPER,
        )

    def _cipher(self, association: dict[str, Any], invocation_counter: int) -> None:
        if "client_system_title" in association:
            self.client.ciphering.systemTitle = bytes.fromhex(association["client_system_title"])
        if "guek" in association:
            self.client.ciphering.blockCipherKey = bytes.fromhex(association["guek"])
            self.client.ciphering.authenticationKey = bytes.fromhex(association["gak"])
            self.client.ciphering.invocationCounter = invocation_counter
        if association.get("protection", "none") != "none":
            self.client.ciphering.security = SECURITIES[association["protection"]]
        if "dedicated_key" in association:
            self.client.ciphering.dedicatedKey = bytes.fromhex(association["dedicated_key"])
        self.client.ciphering.securitySuite = SecuritySuite(association.get("security_suite", 0))
        if association["authentication"] == "hls-ecdsa":
            self._sign(association)

    def _sign(self, association: dict[str, Any]) -> None:
        """The meter's public and the client's private key. By itself the peer makes challenges that are too short here."""
        parameters = parse_association(association).parameters
        assert parameters.client_signing_key is not None
        assert parameters.server_signing_key is not None
        public = GXPublicKey.fromRawBytes(UNCOMPRESSED + parameters.server_signing_key)
        self.client.ciphering.signingKeyPair = public, GXPrivateKey.fromRawBytes(parameters.client_signing_key)
        self.client.ctoSChallenge = ECDSA_CHALLENGE

    # -- the loops ---------------------------------------------------------------------------------------------------

    def exchange(self, request: Any) -> GXReplyData:
        """One request, all its frames, with everything that belongs to its answer."""
        reply = GXReplyData()
        for part in frames_of(request):
            reply.clear()
            self._packet(part, reply)
            while reply.isMoreData():
                self._packet(None if reply.isStreaming() else self.client.receiverReady(reply), reply)
        return reply

    def _packet(self, octets: Any, reply: GXReplyData) -> None:
        if octets:
            self._socket.sendall(bytes(octets))
        buffer, notify = GXByteBuffer(), GXReplyData()
        with quietly():
            while True:
                received = self._socket.recv(4096)
                assert received, "our meter closed the connection"
                buffer.set(received)
                if self.client.getData(buffer, reply, notify):
                    break
        if reply.error:
            raise PeerError(reply.error)

    # -- the association ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        with quietly():
            request = self.client.snrmRequest()
            if request:
                self.client.parseUAResponse(self.exchange(request).data)
            self.client.parseAareResponse(self.exchange(self.client.aarqRequest()).data)
            if self.client.authentication > Authentication.LOW:
                answer = self.exchange(self.client.getApplicationAssociationRequest())
                self.client.parseApplicationAssociationResponse(answer.data)

    def close(self) -> None:
        try:
            with quietly():
                if self.association["framing"] == "wrapper":
                    self.exchange(self.client.releaseRequest())
                else:
                    self.exchange(self.client.disconnectRequest())
        finally:
            self._socket.close()

    def drop(self) -> None:
        """Go away without a word."""
        self._socket.close()

    # -- services ----------------------------------------------------------------------------------------------------

    def read(self, target: Any, attribute_id: int) -> Any:
        with quietly():
            reply = self.exchange(self.client.read(target, attribute_id))
            return self.client.updateValue(target, attribute_id, reply.value)

    def rows(self, target: Any, request: Any) -> Any:
        with quietly():
            reply = self.exchange(request)
            return self.client.updateValue(target, 2, reply.value)

    def objects(self) -> Any:
        with quietly():
            return self.client.parseObjects(self.exchange(self.client.getObjectsRequest()).data)


def frames_of(request: Any) -> Iterator[Any]:
    """The peer gives a request as one frame, as a list of them, or as lists of those."""
    if isinstance(request, list):
        for part in request:
            yield from frames_of(part)
    else:
        yield request


class PeerError(Exception):
    """The error number that the peer took from our answer."""


@contextmanager
def associated(announced: dict[str, Any], **options: Any) -> Iterator[Peer]:
    peer = Peer(announced, **options)
    try:
        peer.open()
        yield peer
    except BaseException:
        peer.drop()
        raise
    peer.close()
