"""Tools that look after a registry: they plan first, and change nothing that was not shown."""
