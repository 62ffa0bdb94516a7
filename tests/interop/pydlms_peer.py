"""A second foreign stack: the client of `pydlms-client` for a meter of ours, as the announcement describes it.

Its public API only. Values of both stacks are compared as octets, which is every type and length.
"""

from __future__ import annotations

from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from pydlms import DlmsClient, Mechanism, SecurityContext
from pydlms.hdlc import HdlcParameters
from pydlms.security.suites import SecurityPolicy

from sessions.association_file import parse_association

MECHANISMS: Final = {
    "none": Mechanism.NONE,
    "lls": Mechanism.LLS,
    "hls-manufacturer": Mechanism.HLS,
    "hls-md5": Mechanism.HLS_MD5,
    "hls-sha1": Mechanism.HLS_SHA1,
    "hls-gmac": Mechanism.HLS_GMAC,
    "hls-sha256": Mechanism.HLS_SHA256,
    "hls-ecdsa": Mechanism.HLS_ECDSA,
}
POLICIES: Final = {
    "none": SecurityPolicy.NONE,
    "authenticated": SecurityPolicy.AUTHENTICATED,
    "encrypted": SecurityPolicy.ENCRYPTED,
    "authenticated-encrypted": SecurityPolicy.AUTHENTICATED_ENCRYPTED,
}
TIMEOUT: Final = 10.0
CURVES: Final = {1: ec.SECP256R1(), 2: ec.SECP384R1()}
UNCOMPRESSED: Final = b"\x04"


def private_key(octets: bytes | None, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    assert octets is not None
    return ec.derive_private_key(int.from_bytes(octets, "big"), curve)


def public_key(octets: bytes | None, curve: ec.EllipticCurve) -> ec.EllipticCurvePublicKey:
    assert octets is not None
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, UNCOMPRESSED + octets)


def security_of(association: dict[str, Any], invocation_counter: int = 1, **more: Any) -> SecurityContext:
    keys = {name: bytes.fromhex(association[name]) for name in ("guek", "gak", "kek", "gbek") if name in association}
    parameters = parse_association(association).parameters
    return SecurityContext(
        encryption_key=keys.get("guek"),
        authentication_key=keys.get("gak"),
        master_key=keys.get("kek"),
        broadcast_key=keys.get("gbek"),
        client_system_title=parameters.client_system_title,
        invocation_counter=invocation_counter,
        suite=association.get("security_suite", 0),
        policy=POLICIES[association.get("protection", "none")],
        **more,
    )


def settings_of(association: dict[str, Any]) -> dict[str, Any]:
    """Keywords of the peer's client: who it is, and what it proves."""
    parameters = parse_association(association).parameters
    settings: dict[str, Any] = {
        "mechanism": MECHANISMS[association["authentication"]],
        "password": parameters.secret or None,
    }
    if association["authentication"] == "hls-ecdsa":
        curve = CURVES[association["security_suite"]]
        settings |= {
            "signing_key": private_key(parameters.client_signing_key, curve),
            "server_public_key": public_key(parameters.server_signing_key, curve),
        }
    if association.get("client_system_title"):
        settings["client_system_title"] = parameters.client_system_title
    settings["logical_names"] = association.get("referencing", "logical-names") == "logical-names"
    return settings


def client_of(
    announced: dict[str, Any],
    *,
    invocation_counter: int = 1,
    general: bool = False,
    hdlc: dict[str, int] | None = None,
    **more: Any,
) -> DlmsClient:
    """Not connected yet: it is a context manager."""
    association = announced["association"]
    host, _, port = announced["endpoint"].removeprefix("tcp://").rpartition(":")
    settings = settings_of(association)
    if association.get("protection", "none") != "none" or association["authentication"] == "hls-gmac":
        settings["security"] = security_of(association, invocation_counter)
        settings["use_dedicated_key"] = "dedicated_key" in association
        settings["protection"] = "general-glo" if general else "glo"
        if association.get("protection", "none") == "none":
            settings["ciphered_context"] = False
    if association["framing"] == "hdlc":
        line = association["hdlc"]
        settings |= {
            "hdlc": True,
            "server_physical": line.get("physical_address"),
            "hdlc_parameters": HdlcParameters(**(hdlc or {})),
        }
    return DlmsClient.tcp(
        host,
        int(port),
        client_sap=association["client_sap"],
        server_logical=association["server_sap"],
        timeout=TIMEOUT,
        **settings | more,
    )
