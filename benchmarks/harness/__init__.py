"""What the benchmarks share: peers in venvs of their own, one real server, measuring in turn, tables."""
