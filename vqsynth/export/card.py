"""What a host must know of an exported file: methods, units, ranges, delays, licences."""

from __future__ import annotations

import dataclasses
from typing import Any

from vqsynth.version import __version__

BUFFERS = (64, 128, 256, 512, 1024, 2048, 4096)
"""Host buffers whose delays are listed."""
AUDIO = "audio"
LICENCE = "MIT"


@dataclasses.dataclass(frozen=True)
class Port:
    """One signal of a method, or one value of an attribute.

    Attributes:
        name: of it.
        unit: ``audio``, ``Hz``, ``dB``, ``st``, ``sd`` (standard deviations), ``code`` or nothing.
        low: lowest value that makes sense.
        high: highest.
        about: what else there is to say.
    """

    name: str
    unit: str = AUDIO
    low: float = -1.0
    high: float = 1.0
    about: str = ""


@dataclasses.dataclass(frozen=True)
class Method:
    """A method of an instrument.

    Attributes:
        name: of it.
        inputs: its signals, in their order.
        in_ratio: samples of an input frame.
        outputs: its signals, in their order.
        out_ratio: samples of an output frame.
        delay: samples at the file's rate, without the host's buffer.
        about: what it does.
    """

    name: str
    inputs: tuple[Port, ...]
    in_ratio: int
    outputs: tuple[Port, ...]
    out_ratio: int
    delay: int
    about: str = ""


@dataclasses.dataclass(frozen=True)
class Attribute:
    """A setting of an instrument.

    Attributes:
        name: of it.
        values: that ``set_NAME`` takes; unit ``bool`` or ``int`` where a value is none of the continuous.
        about: what it does.
    """

    name: str
    values: tuple[Port, ...]
    about: str = ""


@dataclasses.dataclass(frozen=True)
class Card:
    """All of it.

    Attributes:
        name: of the model.
        kind: ``wavae`` or ``timbre``.
        description: of the model.
        sample_rate: that the file works at, Hz.
        hop_length: samples that blocks are made of: the smallest block of a host.
        methods: of the instrument.
        attributes: of the instrument.
        learned_from: recordings that the model learned from, with their licences.
    """

    name: str
    kind: str
    description: str
    sample_rate: int
    hop_length: int
    methods: tuple[Method, ...]
    attributes: tuple[Attribute, ...]
    learned_from: tuple[str, ...]

    def delays(self, method: Method) -> list[dict[str, Any]]:
        """Delay of a method with each host buffer: of a host that waits for it, and of one that computes in a thread.

        A host gathers a buffer before it can be worked on, and a thread has as long again to do so. Buffers below the
        smallest block are that block.
        """
        rows = []
        for buffer in BUFFERS:
            gathered = max(buffer, self.hop_length)
            for name, times in (("direct", 1), ("threaded", 2)):
                samples = method.delay + times * gathered
                rows.append({"buffer": buffer, "host": name, "samples": samples, "ms": self.ms(samples)})
        return rows

    def ms(self, samples: int) -> float:
        """Samples of the file's rate as milliseconds."""
        return round(1000 * samples / self.sample_rate, 2)

    def plain(self) -> dict[str, Any]:
        """As JSON takes it."""
        fields = dataclasses.asdict(self)
        for method, described in zip(self.methods, fields["methods"]):
            described["delay_ms"] = self.ms(method.delay)
            described["delays"] = self.delays(method)
        return {**fields, "licence": LICENCE, "vqsynth_version": __version__}
