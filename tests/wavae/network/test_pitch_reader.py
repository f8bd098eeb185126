import numpy as np
import torch


def curves(domain, sound):
    _, controls = domain.model.encode(sound)
    return controls[:, 1], controls[:, 2]


def test_pitch_of_a_voice_is_read(domain, make_tone):
    for hz in (196.0, 440.0, 880.0):
        pitch, voicing = curves(domain, make_tone(hz, 1.0, 0.6))
        inner = slice(8, -6)
        cents = 1200 * np.log2(pitch[inner] / hz)
        assert abs(np.median(cents)) < 15 and np.mean(np.abs(cents) < 60) > 0.9, hz
        assert np.median(voicing[inner]) > 0.9, hz


def test_pitch_is_carried_through_what_has_none(domain, make_tone):
    """Silence between two notes keeps the first one's pitch, and is not voiced."""
    rate = domain.config.sample_rate
    pause = np.zeros(rate // 2, np.float32)
    pitch, voicing = curves(domain, np.concatenate([make_tone(330.0, 0.8, 0.6), pause, make_tone(440.0, 0.8, 0.6)]))
    silent = slice(round(1.0 * domain.config.rate), round(1.25 * domain.config.rate))
    assert voicing[silent].max() < 0.3
    assert np.ptp(pitch[silent]) < 1e-3 * pitch[silent].mean()
    # The very end of a note may be misread, by a few semitones.
    assert abs(1200 * np.log2(pitch[silent].mean() / 330)) < 500


def test_a_chord_has_no_single_pitch(domain, make_tone):
    for notes in ((220.0, 277.2, 329.6), (146.8, 220.0, 370.0), (440.0, 523.3, 622.3)):
        chord = sum(make_tone(hz, 1.5, 3.0) for hz in notes) / 3
        _, voicing = curves(domain, chord.astype(np.float32))
        assert np.median(voicing[8:-6]) < 0.3, notes


def test_free_means_unvoiced(domain, note):
    _, controls = domain.model.encode(note, free=True)
    assert not controls[:, 2].any() and (controls[:, 1] > 0).all()
    assert torch.isfinite(torch.from_numpy(controls)).all()
