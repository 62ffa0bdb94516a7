"""Mutated octets into every decoder: an answer, or a typed error; nothing else, nothing without end.

`make test` tries a few thousand inputs for each target, `make fuzz` (Atheris, guided by coverage) a million and more.
"""
