"""Lines as things of their own: found, saved, deleted, looked at, and what is known of their health."""
