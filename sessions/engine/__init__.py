"""The engine: runs one claimed session from its first octet to its last row.

plan.py      what to talk to and how, from the session's rows and the vault
run.py       the session: opens, serves steps, renews its lease, ends in one clear state
steps.py     one step: read, write, invoke
profile.py   one profile: its columns, and its rows while the blocks arrive
values.py    values as numbers and words
"""

from sessions.engine.run import run_in_worker, run_session

__all__ = ["run_in_worker", "run_session"]
