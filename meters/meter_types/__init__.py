"""Meter types as things with pages: what a maker's model is, and what a new meter of it begins with."""
