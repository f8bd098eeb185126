"""Played renders: the mean follows the curve, the sound moves as the recordings do, notes begin and end as played."""

import csv
import itertools

import librosa
import mido
import numpy as np
import parselmouth
import pytest
import torch

from vqsynth import load
from vqsynth.errors import UsageError
from vqsynth.render.played.decode import UnitDecoder
from vqsynth.render.played.material import prepare_material
from vqsynth.render.played.search import Script, best_run
from vqsynth.render.played.sources import joins_of
from vqsynth.render.played.strokes import Span, strokes_of

RATE, HOP = 44_100, 512
FRAMES = RATE / HOP


@pytest.fixture(scope="module", params=["violin", "trumpet"])
def timbre(request):
    return load(request.param)


@pytest.fixture(scope="module")
def violin():
    return load("violin")


def mean(values, span=43):
    return np.convolve(values, np.ones(span) / span, "valid")


def level(audio):
    return 20 * np.log10(librosa.feature.rms(y=audio, frame_length=1024, hop_length=256)[0] + 1e-9)


def movement(audio):
    """Standard deviation of the level between 2 and 20 Hz, in dB, away from both ends."""
    heard = level(audio)[172:-172]
    spectrum = np.fft.rfft((heard - heard.mean()) * np.hanning(len(heard)))
    rates = np.fft.rfftfreq(len(heard), 256 / RATE)
    return np.sqrt(
        2 * np.sum(np.abs(spectrum[(rates > 2) & (rates < 20)]) ** 2) / np.sum(np.hanning(len(heard)) ** 2) / len(heard)
    )


def test_the_mean_follows_the_curve_while_the_sound_moves(timbre):
    audio, report = timbre.render(centroid="sin", duration=14)
    assert report["descriptors"]["centroid"]["mean"]["pearson"] > 0.985
    assert report["descriptors"]["centroid"]["mean"]["median_relative_error"] < 0.01
    assert report["descriptors"]["f0"]["mean"]["median_cents"] < 5
    still, _ = timbre.render(centroid="sin", duration=14, life=0)
    assert movement(audio) > 3 * movement(still)


def test_a_played_note_keeps_its_pitch_by_praat_and_begins_as_a_recording_does(violin):
    audio, _ = violin.render(f0="A4", duration=4)
    found = parselmouth.Sound(audio.astype(float), RATE).to_pitch_ac(time_step=0.01, pitch_floor=75, pitch_ceiling=2000)
    hertz = found.selected_array["frequency"]
    cents = 1200 * np.log2(hertz[hertz > 0] / 440)
    assert np.mean(hertz > 0) > 0.9 and abs(np.median(cents)) < 5
    # A player's pitch is not a line, and no player leaves the note.
    assert 1 < np.std(cents[20:-40]) < 30
    rise = level(audio)[:60]
    loud = np.median(level(audio)[100:400])
    attack = (np.argmax(rise > loud - 3) - np.argmax(rise > loud - 20)) * 256 / RATE
    assert 0.01 < attack < 0.2


def test_the_attack_is_as_long_as_asked(violin):
    ends = []
    for attack in (0.03, 0.4):
        audio, _ = violin.render(f0="A4", duration=3, attack=attack)
        rise, loud = level(audio), np.median(level(audio)[150:300])
        ends.append(np.argmax(rise > loud - 3) * 256 / RATE)
    assert ends[0] < 0.1 and 0.25 < ends[1] < 0.5


def test_takes_differ_and_repeat(violin):
    first, again, other = (violin.render(centroid="sin", duration=5, take=take)[0] for take in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_less_life_moves_less_and_none_is_the_path(violin):
    moved = [movement(violin.render(f0="A4", duration=8, life=life, articulation="legato")[0]) for life in (1.0, 0.4)]
    assert moved[1] < 0.7 * moved[0]
    exact, path = (violin.render(centroid="sin", duration=3, **how)[0] for how in ({"life": 0}, {"matcher": "path"}))
    assert np.array_equal(exact, path)


def test_notes_of_a_staircase_are_articulated_each(violin):
    audio, report = violin.render(f0=("steps:4", "A4:E5"), duration=6, articulation="detached")
    assert report["played"]["strokes"] == 4
    heard = level(audio)
    for edge in (1.5, 3.0, 4.5):
        at = round(edge * RATE / 256)
        assert heard[at - 20 : at + 8].min() < np.median(heard) - 6


def test_a_long_tone_is_bowed_again_but_not_in_legato(violin):
    strokes = [
        violin.render(f0="A4", duration=30, articulation=how)[1]["played"]["strokes"] for how in ("auto", "legato")
    ]
    assert strokes[0] >= 2 and strokes[1] == 1


def test_every_moment_is_traced_to_a_recording(violin, tmp_path):
    _, report = violin.render(centroid="sin", duration=4, sources=tmp_path / "sources.csv")
    with open(tmp_path / "sources.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == report["played"]["runs"] and {row["licence"] for row in rows} == {"CC-BY-3.0"}
    played = sum(float(row["end"]) - float(row["start"]) for row in rows)
    assert 3.5 < played < 4.1
    first = rows[0]["recording"]
    violin.render(centroid="sin", duration=4, sources=tmp_path / "other.csv", without=[first])
    assert first not in (tmp_path / "other.csv").read_text()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"life": 1.5}, "life"),
        ({"take": -1}, "take"),
        ({"attack": 0}, "attack"),
        ({"articulation": "staccato"}, "articulation"),
        ({"without": ["none.wav"]}, "without"),
    ],
)
def test_what_cannot_be_played_is_refused(violin, options, field):
    with pytest.raises(UsageError) as refused:
        violin.render(centroid="sin", duration=1, **options)
    assert refused.value.field == field


def test_the_best_run_is_the_cheapest_of_all():
    """Against every path there is, on few units."""
    random = np.random.default_rng(3)
    size, frames = 8, 12
    stop = np.array([4, 4, 4, 4, 8, 8, 8, 8])
    costs, jumps = random.random((size, frames)), 0.4 + random.random((size, size))
    pool = np.arange(size)
    chosen = best_run(
        range(frames), stop, [], lambda at: pool, lambda u, t: costs[u, t], lambda a, b: jumps[np.ix_(a, b)], 64
    )

    def price(path):
        total = sum(costs[u, t] for t, u in enumerate(path))
        for a, b in itertools.pairwise(path):
            total += 0.0 if b == a + 1 and b < stop[a] else jumps[a, b]
        return total

    best, totals = np.inf, {(u,): costs[u, 0] for u in range(size)}
    for t in range(1, frames):
        grown = {}
        for path, total in totals.items():
            going = path[-1] + 1
            options = {going: 0.0} if going < stop[path[-1]] else {}
            if t % 4 == 0:
                for u in range(size):
                    options[u] = min(options.get(u, np.inf), jumps[path[-1], u])
            for u, extra in options.items():
                found = total + extra + costs[u, t]
                if found < grown.get(u, (np.inf,))[0]:
                    grown[u] = (found, (*path, u))
        totals = {path: total for total, path in grown.values()}
        best = min(totals.values())
    assert price(chosen) == pytest.approx(best)


def test_an_onset_is_played_before_its_note():
    stop = np.full(20, 20)
    script = Script(np.array([3, 4, 5]), 6, 0.0)
    run = best_run(
        range(10),
        stop,
        [script],
        lambda at: np.arange(20),
        lambda u, t: np.zeros(np.broadcast(u, t).shape),
        lambda a, b: np.ones((len(a), len(b))),
        8,
    )
    assert run.tolist() == list(range(3, 13))


def test_recorded_notes_are_found_and_their_means_are_means(violin):
    material = prepare_material(violin.units, {"centroid": violin.units.column("centroid")}, FRAMES)
    notes = material.notes
    assert 15 <= len(notes) <= 20
    pitches = np.sort(np.round(12 * (notes.pitch - np.log2(440)) + 69))
    assert pitches[0] == 55 and pitches[-1] == 96
    for name in ("f0", "loudness", "centroid"):
        inside = slice(int(notes.sustain[0]) + 43, int(notes.release[0]) - 43)
        assert abs(np.mean(material.moves[name][inside])) < 0.05
        assert np.allclose(
            material.means[name][inside], mean(material.values[name])[inside.start - 21 : inside.stop - 21], atol=1e-3
        )


def test_slurred_notes_share_a_stroke(violin):
    material = prepare_material(violin.units, {}, FRAMES)
    spans = [Span(0, 100), Span(100, 200, slurred=True), Span(200, 300)]
    strokes = strokes_of(spans, 301, material, FRAMES, "auto", 0)
    assert [(stroke.start, stroke.end) for stroke in strokes] == [(0, 200), (200, 301)]


def test_a_midi_file_is_played_with_onsets_slurs_rests_and_dynamics(violin, tmp_path):
    file, track = mido.MidiFile(ticks_per_beat=480), mido.MidiTrack()
    file.tracks.append(track)

    def message(kind, note, velocity, seconds):
        track.append(mido.Message(kind, note=note, velocity=velocity, time=round(960 * seconds)))

    message("note_on", 69, 60, 0)
    message("note_off", 69, 0, 1.5)
    message("note_on", 69, 120, 0.5)  # after a rest, twice the velocity
    message("note_on", 72, 120, 1.5)  # overlapped: slurred
    message("note_off", 69, 0, 0.03)
    message("note_off", 72, 0, 1.5)
    file.save(tmp_path / "line.mid")
    audio, report = violin.render(f0=str(tmp_path / "line.mid"), duration=5.5)
    assert report["played"]["strokes"] == 2
    heard, at = level(audio), lambda seconds: round(seconds * RATE / 256)
    assert heard[at(1.9) : at(1.97)].max() < np.median(heard) - 25
    soft, loud = np.median(heard[at(0.4) : at(1.2)]), np.median(heard[at(2.4) : at(3.2)])
    assert loud - soft == pytest.approx(40 * np.log10(2), abs=2.5)
    # Louder is brighter.
    bright = librosa.feature.spectral_centroid(y=audio, sr=RATE, hop_length=256)[0]
    assert np.median(bright[at(2.4) : at(3.2)]) > 1.1 * np.median(bright[at(0.4) : at(1.2)])
    # Within a slur the level does not fall away, and the new pitch is reached within a tenth of a second.
    assert heard[at(3.4) : at(3.7)].min() > loud - 10
    found = parselmouth.Sound(audio.astype(float), RATE).to_pitch_ac(time_step=0.01, pitch_floor=75, pitch_ceiling=2000)
    cents = 1200 * np.log2(np.maximum(found.selected_array["frequency"], 1) / (440 * 2**0.25))
    assert abs(np.median(cents[(found.xs() > 3.6) & (found.xs() < 4.8)])) < 5


def test_a_run_ends_with_its_recording(violin):
    """The first unit of a recording follows the last one of another in the file, but nobody played it so."""
    units = violin.units
    edge = int(units.start[3])
    played = np.arange(edge - 20, edge + 20)
    assert joins_of(played, units.recording_of(played)).tolist() == [20]
    decoder = UnitDecoder(violin.model, units, played, 1.0)
    (frames,) = decoder.pieces(1)
    assert len(frames) == 40
    (alone,) = UnitDecoder(violin.model, units, played[20:], 1.0).pieces(1)
    assert torch.allclose(frames[28:].harmonic, alone[8:].harmonic, rtol=1e-4, atol=1e-5)
