"""MurmurHash3 x64 128 of many short texts at once, in numpy: the first half of each hash, as mmh3 computes it.

A call of mmh3 per text takes several times as long and holds Python's lock. Integers alone are computed, so the hashes
are the same on every CPU. Source: Austin Appleby's MurmurHash3.cpp, which is in the public domain.
"""

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

SHORT = 192  # bytes up to which a text is hashed here; mmh3 itself is faster for a longer one
ROWS = 16384  # that are hashed at a time, so that their hashes stay in the cache
BLOCK = 16  # bytes
WINDOW = np.dtype("V32")  # two blocks, which are loaded as fast as one
_C1, _C2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
_FIVE, _ADD1, _ADD2 = np.uint64(5), np.uint64(0x52DCE729), np.uint64(0x38495AB5)
_F1, _F2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
# What to keep of the two words of the last block of a text, by its number of bytes
_MASKS = [
    np.array([(1 << 8 * min(max(size - start, 0), 8)) - 1 for size in range(BLOCK)], np.uint64) for start in (0, 8)
]


def murmur(data: NDArray[np.uint8], bounds: NDArray[np.int64], seed: int) -> Hashes:
    """Return the hash of each text (texts,), whose bytes are those between two `bounds` (texts + 1,) in the data."""
    hashes = np.empty(len(bounds) - 1, np.uint64)
    for first in range(0, len(hashes), ROWS):
        some = bounds[first : first + ROWS + 1]
        hashes[first : first + ROWS] = _murmur(data[some[0] : some[-1]], some - some[0], seed)
    return hashes


def _murmur(data: NDArray[np.uint8], bounds: NDArray[np.int64], seed: int) -> Hashes:
    lengths = np.diff(bounds)
    short = (lengths <= SHORT) & (bounds[1:] <= len(data) - WINDOW.itemsize)  # a window may end behind its text
    hashes = np.empty(len(lengths), np.uint64)
    for rows, hashed in ((np.flatnonzero(short), _hash_short), (np.flatnonzero(~short), _hash_long)):
        if len(rows):
            hashes[rows] = hashed(data, bounds[:-1][rows], lengths[rows], seed)
    return hashes


def _hash_long(
    data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64], seed: int
) -> NDArray[np.uint64]:
    import mmh3

    content = data.data
    ends = (starts + lengths).tolist()
    parts = [content[start:end] for start, end in zip(starts.tolist(), ends, strict=True)]
    digests = b"".join([mmh3.mmh3_x64_128_digest(part, seed) for part in parts])
    return np.frombuffer(digests, "<u8")[::2].astype(np.uint64)


def _hash_short(
    data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64], seed: int
) -> NDArray[np.uint64]:
    # Longest first: the texts that have a block of some number are then the first ones.
    order = np.argsort((lengths // BLOCK).astype(np.uint8), kind="stable")[::-1]
    starts, lengths = starts[order], lengths[order]
    blocks = lengths // BLOCK
    having = np.searchsorted(-blocks, -np.arange(blocks[0]), side="left")
    windows = np.ndarray(len(data) - WINDOW.itemsize + 1, WINDOW, data, strides=(1,))
    h1, h2 = (np.full(len(starts), seed, np.uint64) for _ in range(2))
    for number, count in enumerate(having.tolist()):
        if number % 2 == 0:
            words = windows[starts[:count] + number * BLOCK].view("<u8").reshape(count, 4)
        first = number % 2 * 2
        _mix_block(h1[:count], h2[:count], words[:count, first], words[:count, first + 1])
    ends = windows[starts + blocks * BLOCK].view("<u8").reshape(len(starts), 4)
    rest = lengths % BLOCK
    h1 ^= _mix1(ends[:, 0] & _MASKS[0][rest])
    h2 ^= _mix2(ends[:, 1] & _MASKS[1][rest])
    hashes = np.empty_like(h1)
    hashes[order] = _finish(h1, h2, lengths.astype(np.uint64))
    return hashes


def _mix_block(h1: Hashes, h2: Hashes, k1: Hashes, k2: Hashes) -> None:
    """Add a block, as two words, to the two halves of the hashes."""
    h1 ^= _mix1(k1)
    _rotate(h1, 27)
    h1 += h2
    h1 *= _FIVE
    h1 += _ADD1
    h2 ^= _mix2(k2)
    _rotate(h2, 31)
    h2 += h1
    h2 *= _FIVE
    h2 += _ADD2


def _mix1(words: Hashes) -> Hashes:
    mixed = words * _C1
    _rotate(mixed, 31)
    mixed *= _C2
    return mixed


def _mix2(words: Hashes) -> Hashes:
    mixed = words * _C2
    _rotate(mixed, 33)
    mixed *= _C1
    return mixed


def _rotate(words: Hashes, bits: int) -> None:
    """Rotate each word to the left, in place."""
    low = words >> np.uint64(64 - bits)
    words <<= np.uint64(bits)
    words |= low


def _finish(h1: Hashes, h2: Hashes, lengths: Hashes) -> Hashes:
    """Return the first half of the hashes of texts of these lengths."""
    h1 ^= lengths
    h2 ^= lengths
    h1 += h2
    h2 += h1
    _mix_half(h1)
    _mix_half(h2)
    h1 += h2
    return h1


def _mix_half(half: Hashes) -> None:
    for factor in (_F1, _F2):
        half ^= half >> np.uint64(33)
        half *= factor
    half ^= half >> np.uint64(33)
