"""Octets in and out: asyncio TCP and UDP, serial lines, and the conversation that joins a line with a client."""
