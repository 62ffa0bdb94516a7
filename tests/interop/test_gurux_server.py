"""The first peer's server: it answers no frame, so that our client has nothing to talk to. Tried all the same.

Our client against a foreign server that works: see `test_pydlms_server.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("gurux_dlms")

from gurux_dlms import GXDLMSClient, GXServerReply
from gurux_dlms.enums import AccessMode, Authentication, InterfaceType, MethodAccessMode, SourceDiagnostic
from gurux_dlms.objects import GXDLMSAssociationLogicalName, GXDLMSClock
from gurux_dlms.secure import GXDLMSSecureServer

from tests.interop.peer import quietly

pytestmark = pytest.mark.interop


class PeersServer(GXDLMSSecureServer):
    """As a user of its public interface writes one: whoever comes is let in, and may do everything."""

    def isTarget(self, serverAddress: int, clientAddress: int) -> bool:
        return True

    def onValidateAuthentication(self, authentication: Any, password: Any) -> Any:
        return SourceDiagnostic.NONE

    def onGetAttributeAccess(self, arg: Any) -> Any:
        return AccessMode.READ_WRITE

    def onGetMethodAccess(self, arg: Any) -> Any:
        return MethodAccessMode.ACCESS

    def onFindObject(self, objectType: Any, sn: int, ln: str) -> None:
        return None

    def _nothing(self, arg: Any) -> None:
        return None

    onConnected = onDisconnected = onInvalidConnection = _nothing
    onPreGet = onPostGet = onPreRead = onPostRead = onPreWrite = onPostWrite = onPreAction = onPostAction = _nothing


def server() -> PeersServer:
    made = PeersServer(GXDLMSAssociationLogicalName(), InterfaceType.WRAPPER)
    made.items.append(GXDLMSClock())
    return made


def test_the_peers_server_cannot_be_initialized() -> None:
    with pytest.raises(TypeError, match="not of type GXDLMSObject"):
        server().initialize()


def test_the_peers_server_answers_no_request() -> None:
    client = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.WRAPPER)
    made = server()
    with pytest.raises(TypeError):
        made.initialize()  # it goes as far as it can
    with pytest.raises(AttributeError, match="setReply"), quietly():
        made.handleRequest(GXServerReply(bytes(client.aarqRequest()[0])))
