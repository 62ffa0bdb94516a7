"""Octets in and out: asyncio TCP and serial lines, and the conversation that joins a line with a client."""
