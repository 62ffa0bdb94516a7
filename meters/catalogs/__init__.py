"""OBIS catalogs of meter types: what a type's objects are called, are told in, may hold, and who may read them.

`facts` (what is said of one object) and `rights` are pure; `services` writes, `learning` and `comparison` look at two sides.
"""
