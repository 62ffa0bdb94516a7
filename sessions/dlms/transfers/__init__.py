"""One request of the client and its answer, a module for each service (IEC 62056-5-3).

transfer.py  what they have in common: the states, the terms of a request
blocks.py    long values in numbered blocks, in and out
get.py, set.py, action.py  one of a kind, or a list
access.py    reads, writes and methods mixed in one request
items.py     what can be asked together
many.py      many items, in the best form that both sides offer
short_name.py  READ and WRITE of variables
named.py     the same items by short names: the meter's list of them first, where it is not known
"""
