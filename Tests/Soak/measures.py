"""What the process has, and whether it grows."""

import dataclasses
import os
import pathlib

MIB = 1 << 20
WARM_UP = 0.25
"""This part of the samples is not judged: pools, tables and buffers grow to their size."""
GROWTH_BOUND = 8 * MIB
"""By the line through all samples after the warm-up. A leak of 100 bytes a request would be more in ten minutes."""
DESCRIPTOR_BOUND = 8


@dataclasses.dataclass(frozen=True)
class Sample:
    resident: int
    descriptors: int

    @staticmethod
    def of(process):
        fields = pathlib.Path(f"/proc/{process}/statm").read_text().split()
        return Sample(
            int(fields[1]) * os.sysconf("SC_PAGE_SIZE"), len(os.listdir(f"/proc/{process}/fd"))
        )

    def __str__(self):
        return f"{self.resident / MIB:.1f} MiB, {self.descriptors} descriptors"


def check(samples):
    """Fails when memory or descriptors rise after the warm-up; returns what to say of both."""
    judged = samples[int(len(samples) * WARM_UP) :]
    assert len(judged) >= 8, f"{len(judged)} samples are too few; soak for longer"
    resident = [sample.resident for sample in judged]
    growth = _slope(resident) * len(resident)
    memory = (
        f"{resident[0] / MIB:.1f} MiB after the warm-up, {resident[-1] / MIB:.1f} at the end,"
        f" {max(resident) / MIB:.1f} at most; the line through {len(resident)} samples rises by {growth / MIB:.2f} MiB"
    )
    assert growth < GROWTH_BOUND, memory
    half = len(judged) // 2
    early, late = (max(sample.descriptors for sample in part) for part in (judged[:half], judged[half:]))
    descriptors = f"{early} at most in the first half after the warm-up, {late} in the second"
    assert late <= early + DESCRIPTOR_BOUND, descriptors
    return memory, descriptors


def _slope(values):
    """Of the line with the least squares."""
    middle = (len(values) - 1) / 2
    mean = sum(values) / len(values)
    above = sum((place - middle) * (value - mean) for place, value in enumerate(values))
    return above / sum((place - middle) ** 2 for place in range(len(values)))
