"""Chance that is the same every time: numbers drawn from a seed and from what they are for.

No state and no library: a draw depends on nothing but its own arguments, so that what one order
meets does not change with what others do (SplitMix64's mixing of bits).
"""

from __future__ import annotations

_TO_ONE = 3**0.5
_MASK = (1 << 64) - 1
_SHIFTS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def draw(*names: int) -> float:
    """A number from 0 up to 1, evenly spread."""
    return _bits(names) / (1 << 64)


def draw_step(*names: int) -> float:
    """A number around 0 with standard deviation 1, never beyond 3.5: four even draws, summed."""
    bits = _bits(names)
    return (sum(bits >> shift & 0xFFFF for shift in (0, 16, 32, 48)) / 0x10000 - 2) * _TO_ONE


def _bits(names: tuple[int, ...]) -> int:
    bits = 0
    for name in names:
        bits = _mix(bits + name + 0x9E3779B97F4A7C15 & _MASK)
    return bits


def _mix(bits: int) -> int:
    for shift, factor in _SHIFTS:
        bits = (bits ^ (bits >> shift)) * factor & _MASK
    return bits ^ (bits >> 31)
