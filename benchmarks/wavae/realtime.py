"""Does a stream keep up on one core, how late is it, and does its memory stay flat?"""

from __future__ import annotations

import dataclasses
import gc
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.speed.timing import median_seconds
from benchmarks.tables import number
from benchmarks.wavae.material import Material
from benchmarks.wavae.melgan import MelGan, MelGanStream
from benchmarks.wavae.rave import FRAME, LATENTS, Rave, RaveStream
from benchmarks.wavae.rows import Gap, Row, collect, row
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.network.config import WavaeConfig
from vqsynth.wavae.network.stream import Stream

NAME, FIRST = "realtime", "network"
TEXT = """One core, blocks of 512 samples at 44.1 kHz, sound in and sound out; times by the clock as shares of a
block's duration (11.6 ms); *processor*: what the process itself worked, without the time that others held the core.
All in one run: the domain (all that ship have one architecture), then a causal melGAN of the published size (every
convolution keeps its past, so each mel frame is computed once; fed by the same mel analysis) and a network of RAVE
v2's size (causal, the past cached; it works once in four blocks, on 2,048 samples), both with random weights and for
a tenth of the minutes. Delay: what any size of block costs from input to output; the melGAN as published sees 7
frames ahead, 3,584 samples more. Offline: latents (melGAN: mel frames) to sound. Memory: growth of the process's
resident set from the end of the first minute (or fifth of the run) to its end."""

BLOCK, RATE = 512, 44_100
SHARE, DELAY_MS, TIMES, GROWTH_MB = 25.0, 60.0, 20.0, 1.0
OFFLINE_SECONDS = 20.0


@dataclasses.dataclass
class Contender:
    """A network to be timed.

    Attributes:
        parameters: how many.
        push: of a new stream.
        latency: of the stream, in samples.
        offline: one call for a whole sound.
        offline_seconds: of sound that this call makes.
        minutes: for which the stream is timed.
    """

    parameters: int
    push: Callable[[torch.Tensor], torch.Tensor]
    latency: int
    offline: Callable[[], object]
    offline_seconds: float
    minutes: float


def resident() -> float:
    """Resident memory of this process in MB (the highest so far where the system tells no more)."""
    if Path("/proc/self/statm").is_file():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest / (1e6 if sys.platform == "darwin" else 1e3)


def sound(material: Material, name: str) -> np.ndarray:
    """Held-out recordings one after the other, or a sweep in noise where there are none. Shape: [samples]."""
    try:
        return np.concatenate([r.audio for r in material.recordings(name, limit=60.0)])
    except Gap:
        times = np.arange(20 * RATE) / RATE
        sweep = np.sin(2 * np.pi * 110 * 4 ** (times / 20) / np.log(4) * 20)
        return (0.1 * sweep + 0.01 * np.random.default_rng(0).standard_normal(len(times))).astype(np.float32)


def stream(push: Callable[[torch.Tensor], torch.Tensor], audio: np.ndarray, minutes: float) -> tuple[np.ndarray, float]:
    """Seconds of every block, by the clock and of the processor [blocks, 2], and growth of memory in MB."""
    blocks = torch.from_numpy(audio[: len(audio) // BLOCK * BLOCK]).split(BLOCK)
    count = round(minutes * 60 * RATE / BLOCK)
    settled = min(round(60 * RATE / BLOCK), count // 5)
    times, before = np.zeros((count, 2)), 0.0
    for block in blocks[:20]:
        push(block)
    gc.collect()
    for index in range(count):
        if index == settled:
            before = resident()
        begin, working = time.perf_counter(), time.thread_time()
        push(blocks[index % len(blocks)])
        times[index] = time.perf_counter() - begin, time.thread_time() - working
    return times, resident() - before


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def of_domain(domain: Domain, minutes: float) -> Contender:
    """A domain, streamed."""
    frames = round(OFFLINE_SECONDS * domain.config.rate)
    z = np.random.default_rng(0).standard_normal((frames, domain.config.latent_dim)).astype(np.float32)
    controls = np.tile(np.float32([domain.level, 300.0, 1.0, 1000.0][: len(domain.config.controls)]), (frames, 1))
    running = Stream(domain.model, live=True)
    return Contender(
        parameters(domain.model),
        running.push,
        running.latency,
        lambda: domain.model.decode(z, controls),
        OFFLINE_SECONDS,
        minutes,
    )


def of_melgan(minutes: float) -> Contender:
    """The melGAN, random weights: causal as a stream, symmetric offline."""
    offline, running = MelGan().eval(), MelGanStream(MelGan(causal=True).eval())
    mel = torch.randn(1, round(OFFLINE_SECONDS / 4 * RATE / BLOCK), WavaeConfig().n_mels)
    make = torch.inference_mode()(lambda: offline(mel))
    return Contender(parameters(offline), running.push, running.latency, make, mel.shape[1] * BLOCK / RATE, minutes)


def of_rave(minutes: float) -> Contender:
    """The network of RAVE v2's size, random weights."""
    network = Rave().eval()
    running = RaveStream(network)
    latents = torch.randn(1, LATENTS, round(OFFLINE_SECONDS / 4 * RATE / FRAME))
    make = torch.inference_mode()(lambda: network.decode(latents))
    return Contender(parameters(network), running.push, running.latency, make, latents.shape[2] * FRAME / RATE, minutes)


def measure(subject: str, contender: Contender, audio: np.ndarray, goal: bool) -> list[Row]:
    """Rows of one network; only the project's own has goals to reach."""

    def judged(what: str, value: float, digits: int, unit: str, words: str, reached: Callable[[float], bool]) -> Row:
        return row(NAME, subject, what, value, digits, unit, words if goal else "", reached if goal else None)

    # The offline part first: what it allocates is not to be mistaken for growth of the stream.
    speed = contender.offline_seconds / median_seconds(contender.offline, 3)
    times, growth = stream(contender.push, audio, contender.minutes)
    share, work = 100 * times.T / (BLOCK / RATE)
    milliseconds = 1000 * contender.latency / RATE
    delay = judged("delay", milliseconds, 1, " ms", f"under {DELAY_MS:.0f} ms", lambda value: value < DELAY_MS)
    delay.text = f"{contender.latency:,} samples, {delay.text}"
    return [
        Row(NAME, subject, "parameters", contender.parameters, f"{contender.parameters / 1e6:.2f} M"),
        row(NAME, subject, "mean", share.mean(), 1, " %"),
        row(NAME, subject, "p50", np.percentile(share, 50), 1, " %"),
        judged("p99", float(np.percentile(share, 99)), 1, " %", f"under {SHARE:.0f} %", lambda value: value < SHARE),
        row(NAME, subject, "p99, processor", np.percentile(work, 99), 1, " %"),
        delay,
        judged("offline", speed, 1, " x realtime", f"{TIMES:.0f} x or more", lambda value: value >= TIMES),
        judged("memory", growth, 2, " MB", f"under {GROWTH_MB:.0f} MB", lambda value: value < GROWTH_MB),
        Row(NAME, subject, "minutes", contender.minutes, number(contender.minutes, 2)),
    ]


def run(material: Material) -> list[Row]:
    """Rows of the first domain that is there, of the melGAN and of the RAVE."""
    first = None
    gaps = []
    for name in material.names:
        try:
            material.domain(name)
            first = name
            break
        except Gap as gap:
            gaps.append(str(gap))
    audio = sound(material, first or material.names[0])
    makers = {
        "melGAN, published size": lambda: of_melgan(material.minutes / 10),
        "RAVE v2, published size": lambda: of_rave(material.minutes / 10),
    }
    label = f"wavae ({first})" if first else "wavae"

    def contend(subject: str) -> list[Row]:
        if subject != label:
            return measure(subject, makers[subject](), audio, False)
        if first is None:
            raise Gap(gaps[0])
        return measure(subject, of_domain(material.domain(first), material.minutes), audio, True)

    return collect(NAME, [label, *makers], contend)
