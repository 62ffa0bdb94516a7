"""The frame inspector: any frame or APDU as a line, a tree of fields over its octets, and the plaintext behind them.

framing       recognise HDLC, wrapper and bare APDUs; cut octets into frames
link          HDLC frames and segments, the wrapper, LLC
mbus          M-Bus frames and segments
iec62056_21   sign-on, readouts, programming mode, P1 telegrams
application   APDUs and what stands inside them: initiates, ciphered APDUs, slices
deciphering   open what is ciphered, and say how far to believe it
assembly      put segments and blocks together
dissector     the frames of one conversation, in order
"""

from sessions.dlms.inspector.dissection import Dissection, Framing, mask
from sessions.dlms.inspector.dissector import Direction, Dissector, dissect
from sessions.dlms.inspector.framing import recognise, split_frames
from sessions.dlms.inspector.keys import DissectionKeys, parse_keys

__all__ = [
    "Direction",
    "Dissection",
    "DissectionKeys",
    "Dissector",
    "Framing",
    "dissect",
    "mask",
    "parse_keys",
    "recognise",
    "split_frames",
]
