"""The Blue Book, in pure Python: what a meter says. It knows no framework, no clock and no I/O."""
