"""Quirks of meter types as reviewed data: their names, how one is proposed and accepted, what holds for a meter."""
