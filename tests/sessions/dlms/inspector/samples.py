"""Octets that several inspector tests use: published vectors, and frames built from them."""

from sessions.dlms.hdlc.address import HdlcAddress
from sessions.dlms.hdlc.frame import InfoFrame

# protocol/06, section 5 (Green Book Annex C).
GUEK = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
GAK = bytes.fromhex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf")
TITLE = bytes.fromhex("4d4d4d0000bc614e")
GET_CLOCK = bytes.fromhex("c0010000080000010000ff0200")
GLO_GET_10 = bytes.fromhex("c81e1001234567c0010000080000010000ff020006725d910f9221d263877516")
GLO_GET_20 = bytes.fromhex("c8122001234567411312ff935a47566827c467bc")
GLO_GET_30 = bytes.fromhex("c81e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6b")
GENERAL_GLO = bytes.fromhex("db084d4d4d0000bc614e1e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6b")
AARQ_LLS = bytes.fromhex(
    "6036a1090607608574050801018a0207808b0760857405080201ac0a80083132333435363738be10040e01000000065f1f0400007e1f04b0"
)
AARQ_CIPHERED = bytes.fromhex(
    "6066a109060760857405080103a60a04084d4d4d0000bc614e8a0207808b0760857405080201ac0a80083132333435363738be34043221303001234567"
    "801302ff8a7874133d414ced25b42534d28db0047720606b175bd52211be6841db204d39ee6fdb8e356855"
)
DEDICATED = bytes.fromhex("00112233445566778899aabbccddeeff")
AARE = bytes.fromhex("6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f040000501f01f40007")
GET_RESPONSE = bytes.fromhex("c401c10006000012d6")
BLOCK_1 = bytes.fromhex("c402c10000000001000409060102")
BLOCK_2 = bytes.fromhex("c402c101000000020004aabbccdd")
NEXT_1 = bytes.fromhex("c002c100000001")

# protocol/02, section 9.
SNRM = bytes.fromhex("7ea0070321930f017e")
SNRM_1024 = bytes.fromhex("7ea0200321937dd9818014050204000602040007040000000108040000000172e37e")
UA_1024 = bytes.fromhex("7ea0202103737398818014050204000602040007040000000108040000000172e37e")
UA = bytes.fromhex("7ea00721037301407e")
DISC = bytes.fromhex("7ea00703215303c77e")
RR = bytes.fromhex("7ea00703213117877e")
FRMR = bytes.fromhex("7ea00c2103973e2112000812737e")
HDLC_AARE = bytes.fromhex(
    "7ea0372103306c7ce6e7006129a109060760857405080101a203020100a305a103020100be10040e0800065f1f040000501f01f40007190a7e"
)
WRAPPER_AARQ = bytes.fromhex("000100100001001f601da109060760857405080101be10040e01000000065f1f0400007e1f04b0")

CLIENT, SERVER = HdlcAddress(16), HdlcAddress(1)
COMMAND, RESPONSE = bytes.fromhex("e6e600"), bytes.fromhex("e6e700")


def info(octets, number=0, *, sent=True, segmented=False, acknowledged=0):
    """An I frame between client 16 and server 1."""
    return InfoFrame(
        destination=SERVER if sent else CLIENT,
        source=CLIENT if sent else SERVER,
        send_sequence=number,
        receive_sequence=acknowledged,
        information=octets,
        segmented=segmented,
    ).encode()


def segments(octets, size, *, sent=True):
    """An information field cut into I frames of `size` octets."""
    parts = [octets[at : at + size] for at in range(0, len(octets), size)]
    return [info(part, number % 8, sent=sent, segmented=number < len(parts) - 1) for number, part in enumerate(parts)]


def wrapped(apdu, source=16, destination=1):
    """A wrapper frame."""
    head = b"\x00\x01" + source.to_bytes(2, "big") + destination.to_bytes(2, "big")
    return head + len(apdu).to_bytes(2, "big") + apdu
