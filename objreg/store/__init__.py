"""Keys and bytes: the one seam to storage, and every backend behind it."""

from objreg.store.base import ObjectInfo, Store
from objreg.store.memory import MemoryStore
from objreg.store.urls import open_store

__all__ = ["MemoryStore", "ObjectInfo", "Store", "open_store"]
