"""Meters from tables: reading, columns, dry run, writing, undo. `runs.py` is the way in; see ARCHITECTURE.md."""
