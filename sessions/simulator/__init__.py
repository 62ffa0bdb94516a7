"""Simulated meters: the server role of the same stack, computed or recorded, on real lines.

    listeners ── octets ── stations ── APDUs ── server ── requests ── device
    TCP, UDP, pty          wrapper,            association,           Meter (objects, profile, load_curve, meter_type)
                           HDLC                ciphering, transfers   RecordedMeter (trace, recording, replay)

`lab` puts them together from a TOML file. Everything but `listeners` is without I/O.
"""
