"""Simulated meters: the server role of the same stack, computed or recorded, on real lines.

    listeners ── octets ── stations ── APDUs ── server ── requests ── device
    TCP, UDP, pty          wrapper,            association,           Meter (objects, profile, load_curve, meter_type)
                           HDLC                ciphering, transfers   RecordedMeter (trace, recording, replay)

`lab` puts them together from a TOML file, `gxc` and `snapshot` from files of real meters. `journal` has what a meter carried
out, `truth` tells it to whoever compares. Everything but `listeners`, `udp_port` and `truth_port` is without I/O.
"""
