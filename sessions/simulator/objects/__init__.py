"""COSEM objects of a simulated meter: what their attributes answer, what may be written, what their methods do.

`base` is what they have in common; each other module has the classes of one subject.
"""
