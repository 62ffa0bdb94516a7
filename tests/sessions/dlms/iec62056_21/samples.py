"""Messages of IEC 62056-21 whose block checks were computed elsewhere (the reference notes, and published captures)."""

REQUEST = bytes.fromhex("2F3F210D0A")
READOUT_AT_9600 = bytes.fromhex("063035300D0A")
PROGRAMMING_AT_9600 = bytes.fromhex("063035310D0A")
HDLC_AT_9600 = bytes.fromhex("063235320D0A")
OPERAND = bytes.fromhex("01503002283132333435363738290368")
PASSWORD = bytes.fromhex("01503102283030303030303030290361")
READ = bytes.fromhex("01523102312E382E302829035A")
DATA = bytes.fromhex("02312E382E30283030303132332E342A6B5768290D0A210D0A037E")
BREAK = bytes.fromhex("0142300371")
IDENTIFICATION = b"/LGZ5\\2ZMD3104407\r\n"

EVERY = {
    "request": REQUEST,
    "identification": IDENTIFICATION,
    "readout-at-9600": READOUT_AT_9600,
    "programming-at-9600": PROGRAMMING_AT_9600,
    "hdlc-at-9600": HDLC_AT_9600,
    "operand": OPERAND,
    "password": PASSWORD,
    "read": READ,
    "data": DATA,
    "break": BREAK,
    "ack": b"\x06",
    "nak": b"\x15",
}
