"""The lock file of a project: what it wants of a registry, exactly what that is, and the files."""
