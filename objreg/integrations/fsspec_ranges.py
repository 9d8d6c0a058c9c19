"""Many ranges of files at once: neighbours in one request, the requests beside each other."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf

from fsspec.utils import merge_offset_ranges

__all__ = ["Range", "read_ranges"]

_WORKERS = 8

Range = tuple[str, int, int]
"""A path, where the range begins, and where the bytes behind it begin."""


def read_ranges(wanted: Sequence[Range], read: Callable[[str, int, int], bytes], max_gap: int) -> list[bytes]:
    """Return the bytes of each range, in the order in which they are wanted.

    Args:
        wanted: inside their files.
        read: fetches one range.
        max_gap: bytes between two ranges that are fetched along with them rather than left out.
    """
    if not wanted:
        return []
    paths, starts, ends = map(list, zip(*wanted, strict=True))
    spans: list[Range] = list(zip(*merge_offset_ranges(paths, starts, ends, max_gap=max_gap), strict=True))
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-ranges") as pool:
        data = list(pool.map(lambda span: read(*span), spans))
    found = []
    for path, start, end in wanted:
        place = bisect_right(spans, (path, start, inf)) - 1  # spans are sorted and apart, and each range is in one
        begin = spans[place][1]
        found.append(data[place][start - begin : end - begin])
    return found
