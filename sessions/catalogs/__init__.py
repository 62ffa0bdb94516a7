"""A meter and the OBIS catalog of its type: what sessions show of it, and what the catalog learns from them."""
