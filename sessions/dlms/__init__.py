"""The Green Book, in pure Python and sans-I/O: how it is said. Time, randomness and counters are arguments."""
