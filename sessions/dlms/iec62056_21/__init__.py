"""IEC 62056-21: sign-on, readout (modes A to D), programming mode, the way into HDLC (mode E), and P1 telegrams.

characters   control characters, parity, speeds, the block check
sign_on      request, identification, acknowledgement
data_set     the grammar of data lines
address      what the address of a data set names, as an OBIS code
message      messages between STX or SOH and the block check
telegram     telegrams that nobody asks for: mode D, P1
profile      load profiles and event lists in data lines
stream       finds messages in a stream
state        the client's states, as a table
client       the client, server the meter's side; both without I/O
mode_e       a data link that signs on and goes over into HDLC
"""
