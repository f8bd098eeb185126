"""From a trained model's name to its instrument and its card."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from vqsynth.errors import UsageError, nearest_names
from vqsynth.export.build import control_voice
from vqsynth.export.card import AUDIO, Attribute, Card, Method, Port
from vqsynth.export.rate.timbre import rated
from vqsynth.export.rate.wavae import RatedWavae
from vqsynth.export.timbre import TimbreInstrument, timbre_instrument
from vqsynth.export.wavae import AXES, FARTHEST, HIGHEST_HZ, LOWEST_HZ, WavaeInstrument, wavae_instrument
from vqsynth.library.timbre import Timbre
from vqsynth.streaming.module import twin
from vqsynth.vqvae.live import LiveTimbre
from vqsynth.wavae.domain import Domain

KINDS = ("auto", "timbre", "wavae")
SOUND = Port("sound", AUDIO)
LOWEST_RATE, HIGHEST_RATE = 32_000, 192_000
COORDINATE = 3.0
"""Standard deviations within which nearly all coordinates of a recording lie."""


def find(name: str | Path, kind: str = "auto") -> Timbre | Domain:
    """A timbre or a domain by its name or the path of its folder.

    Args:
        name: of the model; ``wavae/NAME`` is a domain, too.
        kind: ``timbre`` or ``wavae``; ``auto`` takes the one that there is.

    Raises:
        UsageError: there is none of this name, or one of either kind.
        VqsynthError: the folder is damaged or of a foreign version.
    """
    if kind not in KINDS:
        raise UsageError(f"choose one of {', '.join(KINDS)}", field="kind", value=kind)
    plain = str(name).removeprefix("wavae/")
    if plain != str(name) and kind == "auto":
        kind = "wavae"
    timbres, domains = Timbre.installed(), Domain.installed()
    if Path(name).is_dir():
        timbre, domain = (Path(name) / Timbre.CARD).is_file(), (Path(name) / Domain.CARD).is_file()
        plain = str(name) if timbre or domain else plain
    else:
        timbre, domain = plain in timbres, plain in domains
    if kind == "auto" and timbre and domain:
        raise UsageError(f"{name}: there is a timbre and a wavae model of this name; choose a `kind`", field="kind")
    if kind == "wavae" or (domain and kind == "auto"):
        return Domain(Domain.find(plain))
    if kind == "auto" and not timbre:
        everything = [*timbres, *(f"wavae/{domain}" for domain in domains)]
        raise UsageError(f"{name}: no model of this name; {nearest_names(str(name), everything)}")
    return Timbre(Timbre.find(plain))


def instrument_of(
    model: Timbre | Domain, axes: int | None = None, seed: int = 0, rate: int | None = None
) -> tuple[nn.Module, Card]:
    """The instrument of a model, in eager mode and as new, and what a host must know of it.

    Args:
        model: a timbre or a domain.
        axes: that a domain's encode and decode show; None: the 16 widest.
        seed: of the noise.
        rate: of the host, Hz; None: the model's own.

    Raises:
        UsageError: an axis too many, or a rate that cannot be.
    """
    own = model.config.sample_rate
    if rate is not None and not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise UsageError(f"give {LOWEST_RATE} to {HIGHEST_RATE} Hz", field="rate", value=rate)
    if isinstance(model, Domain):
        return _of_domain(model, axes, seed, rate or own)
    if axes is not None:
        raise UsageError(f"{model.name} is a timbre and has no axes", field="axes", value=axes)
    return _of_timbre(model, seed, rate or own)


def _of_timbre(timbre: Timbre, seed: int, rate: int) -> tuple[TimbreInstrument, Card]:
    instrument = timbre_instrument(control_voice(timbre, seed, rate), LiveTimbre(rated(timbre.model, rate), seed))
    hop, delay = instrument.hop_length, instrument.latency
    centroid, bandwidth = (_reach(timbre, name, f"0: that of the {whose}") for name, whose in _OWN.items())
    pitch = _reach(timbre, "f0", "0: that of the code", "pitch")
    gain = Port("gain", "dB", -60.0, 6.0, "0 is -20 LUFS")
    velocity = Port("velocity", "", 0.0, 1.0, "0 ends a note")
    code = Port("code", "code", 0, timbre.config.n_codes - 1)
    heard = (code, Port("pitch", "Hz", pitch.low, pitch.high, "0: none"), Port("loudness", "dB", -60.0, -10.0))
    played = (centroid, bandwidth, pitch, gain, velocity)
    methods = (
        Method("control", played, hop, (SOUND,), 1, delay["control"], "sound with these descriptors"),
        Method("forward", (SOUND,), 1, (SOUND,), 1, delay["forward"], "any sound in the timbre"),
        Method("fast", (SOUND,), 1, (SOUND,), 1, delay["fast"], "the same, sooner and coarser"),
        Method("encode", (SOUND,), 1, heard, hop, delay["encode"], "what the timbre hears"),
        Method("codes", (code, pitch, gain, velocity), hop, (SOUND,), 1, delay["codes"], "codes, one at a time"),
    )
    attributes = (
        Attribute("life", (Port("life", "", 0.0, 1.0),), "share of the player's movement around what is asked for"),
        Attribute("octaves", (Port("octaves", "int", -4, 4),), "by which a melody that comes in is moved"),
        Attribute("attack", (Port("attack", "s", 0.001, 10.0),), "time constant of a sound's rise"),
        Attribute("release", (Port("release", "s", 0.001, 10.0),), "time constant of its end"),
        Attribute("fade", (Port("fade", "s", 0.001, 10.0),), "time constant in which a code goes over into the next"),
    )
    return instrument, _card(timbre, "timbre", rate, hop, methods, attributes)


_OWN = {"centroid": "timbre at this pitch and level", "bandwidth": "code"}


def _reach(timbre: Timbre, name: str, about: str, shown: str | None = None) -> Port:
    """A descriptor between the lowest and the highest fiftieth of the codes."""
    voiced = None
    if name == "f0" and timbre.table.voicing is not None:
        voiced = timbre.table.voicing >= 0.5
    low, high = timbre.table.percentile(name, [2, 98], voiced)
    return Port(shown or name, "Hz", round(float(low), 1), round(float(high), 1), about)


def _of_domain(domain: Domain, axes: int | None, seed: int, rate: int) -> tuple[WavaeInstrument | RatedWavae, Card]:
    size = domain.config.latent_dim
    if axes is not None and not 1 <= axes <= size:
        raise UsageError(f"{domain.name} has 1 to {size} axes", field="axes", value=axes)
    plain = wavae_instrument(domain.model, domain.pca, axes or AXES, seed)
    instrument = plain if rate == plain.sample_rate else twin(RatedWavae(plain, rate))
    half = plain.n_fft // 2
    own = {"forward": plain.latency, "encode": half, "decode": plain.latency - half}
    delay = instrument.latency if isinstance(instrument, RatedWavae) else own
    shown = [Port(f"axis {k}", "sd", -COORDINATE, COORDINATE) for k in range(plain.axes)]
    low, high = domain.pitch_range or (65.0, 1047.0)
    controls = {
        "loudness": Port("loudness", "dB", -60.0, domain.level, "0, as where nothing is connected, is silence"),
        "pitch": Port("pitch", "Hz", low, high, "0 is no pitch"),
        "voicing": Port("voicing", "", 0.0, 1.0, "how far there is one pitch: 0 chords and noise, 1 a single voice"),
        "centroid": Port("centroid", "Hz", 200.0, 8000.0),
    }
    frames = (*shown, *(controls[name] for name in domain.config.controls))
    hop = plain.hop_length
    methods = (
        Method("forward", (SOUND,), 1, (SOUND,), 1, delay["forward"], "any sound through the model"),
        Method("encode", (SOUND,), 1, frames, hop, delay["encode"], "what the model hears, a frame a hop"),
        Method("decode", frames, hop, (SOUND,), 1, delay["decode"], "sound of such frames"),
    )
    axis = Port("axis", "int", -1, size - 1, "-1 is all")
    attributes = (
        Attribute("scale", (axis, Port("factor", "", -FARTHEST, FARTHEST)), "of an axis"),
        Attribute("bias", (axis, Port("offset", "sd", -FARTHEST, FARTHEST)), "added to an axis"),
        Attribute("temperature", (Port("temperature", "sd", 0.0, 4.0),), "how far all axes wander by themselves"),
        Attribute("transpose", (Port("transpose", "st", -48.0, 48.0),), f"within {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz"),
        Attribute("free", (Port("free", "bool", 0, 1),), "the latents decide on the pitch"),
    )
    return instrument, _card(domain, "wavae", rate, hop, methods, attributes)


def _card(
    model: Timbre | Domain,
    kind: str,
    rate: int,
    hop: int,
    methods: tuple[Method, ...],
    attributes: tuple[Attribute, ...],
) -> Card:
    return Card(
        model.name,
        kind,
        str(model.header.get("description", "")),
        rate,
        hop,
        methods,
        attributes,
        model.learned_from,
    )
