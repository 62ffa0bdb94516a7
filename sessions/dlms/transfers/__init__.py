"""One request of the client and its answer, a module for each service (IEC 62056-5-3, GET, SET and ACTION services).

transfer.py  what they have in common: the states, the terms of a request
blocks.py    long values in numbered blocks, in and out
get.py, set.py, action.py  one of a kind, or a list
access.py    reads, writes and methods mixed in one request
items.py     what can be asked together
many.py      many items, in the best form that both sides offer
"""
