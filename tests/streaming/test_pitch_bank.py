import math

import numpy as np
import pytest
import torch

from vqsynth.dsp.partials import write_partials
from vqsynth.dsp.pitch import bins_of_f0
from vqsynth.streaming.module import twin
from vqsynth.streaming.overlap_add import OverlapAdd
from vqsynth.streaming.pitch_bank import PitchBank

RATE, N_FFT, FRAMES, BINS, CELLS = 44_100, 2048, 200, 144, 512
HEIGHT = N_FFT / 4  # of the lobe of a sinusoid of amplitude 1


def sound(spectra):
    return OverlapAdd(N_FFT, inner=True).whole(spectra)[0, N_FFT:-N_FFT].double().numpy()


def peaks_of(audio, count):
    """Frequencies of the strongest peaks of a sound, Hz, and the level of the rest in dB below the first."""
    spectrum = np.abs(np.fft.rfft(audio * np.blackman(len(audio)), 4 * len(audio)))
    found, width = [], RATE / 4 / len(audio)
    top = spectrum.max()
    for _ in range(count):
        place = int(spectrum.argmax())
        found.append(place * width)
        spectrum[max(0, place - 20) : place + 21] = 0
    return found, 20 * math.log10(spectrum.max() / top)


def salience_of(*curves):
    """Map with pitches [frames] in Hz. Shape: -> [1, frames, BINS]."""
    place = torch.stack([bins_of_f0(torch.as_tensor(hz, dtype=torch.float32)) for hz in curves], -1)
    shape = torch.exp(-0.5 * ((place[..., None] - torch.arange(BINS)) / 0.8).square()).amax(-2)
    return torch.logit(0.98 * shape.clamp(1e-6, 1))[None]


def bank(salience, top=900.0):
    """Sound of a map: every partial below ``top`` Hz has an amplitude of 0.1."""
    level = torch.full((1, salience.shape[1], CELLS), math.log(0.1 * HEIGHT))
    level[..., int(top * N_FFT / RATE) :] = -12
    return sound(twin(PitchBank(RATE, N_FFT, CELLS, BINS))(salience, level, torch.full_like(level, 9.0)))


@pytest.mark.parametrize("hz", [250.0, 441.0, 1003.3])
def test_a_written_partial_is_a_sinusoid(hz):
    """Frequency, amplitude, and nothing else above -60 dB, wherever between the bins it lies."""
    frames = torch.arange(FRAMES, dtype=torch.float64)
    phase = (2 * math.pi * hz * frames * N_FFT / 4 / RATE)[None, :, None]
    position = torch.full((1, FRAMES, 1), hz * N_FFT / RATE, dtype=torch.float64)
    audio = sound(write_partials(position, torch.full((1, FRAMES, 1), 0.5 * HEIGHT), phase, N_FFT // 2 + 1))
    (found,), rest = peaks_of(audio, 1)
    assert abs(1200 * math.log2(found / hz)) < 1
    assert np.abs(audio).max() == pytest.approx(0.5, rel=0.01)
    assert rest < -58


def test_one_pitch_is_in_tune():
    audio = bank(salience_of(np.full(FRAMES, 250.0)), top=300.0)
    (found,), rest = peaks_of(audio, 1)
    assert abs(1200 * math.log2(found / 250)) < 2
    assert rest < -55


def test_three_pitches_at_once():
    played = (196.0, 246.94, 293.66)
    found, rest = peaks_of(bank(salience_of(*(np.full(FRAMES, hz) for hz in played)), top=330.0), 3)
    for hz, heard in zip(played, sorted(found)):
        assert abs(1200 * math.log2(heard / hz)) < 3
    assert rest < -50


def test_a_glide_is_smooth():
    """Its phase goes on: the analytic signal's frequency follows the curve, and its level stays."""
    from scipy.signal import hilbert

    curve = np.geomspace(300, 360, FRAMES)
    audio = hilbert(bank(salience_of(curve), top=400.0))[4000:-4000]
    level = np.abs(audio)
    assert level.max() / level.min() < 1.06
    frequency = np.diff(np.unwrap(np.angle(audio))) * RATE / (2 * np.pi)
    expected = np.interp(np.arange(len(frequency)) + 4000, (np.arange(FRAMES) - 2.0) * 512, curve)
    assert np.abs(1200 * np.log2(frequency / expected)).max() < 15


def test_a_single_voice_is_left_to_the_pulses():
    salience = salience_of(np.full(FRAMES, 200.0), np.full(FRAMES, 317.0))
    level = torch.full((1, FRAMES, CELLS), math.log(0.1 * HEIGHT))
    level[..., 30:] = -12
    whole, half, sung = (
        twin(PitchBank(RATE, N_FFT, CELLS, BINS))(
            salience, level, torch.full_like(level, 9.0), torch.full((1, FRAMES), voicing, dtype=torch.float64)
        ).abs()[0, 100]
        for voicing in (0.0, 0.6, 1.0)
    )
    for hz in (200, 317):
        place = round(hz * N_FFT / RATE)
        assert float(half[place] / whole[place]) == pytest.approx(0.8, abs=0.05) and sung[place] == 0


def test_a_pitch_that_fades_in_the_map_goes_on_and_does_not_begin():
    """Between the two thresholds a pitch that was heard is heard, and one that was not is not."""
    from scipy.signal import hilbert

    steady = salience_of(np.full(FRAMES, 250.0))
    dipping = steady.clone()
    dipping[:, 100:104] -= dipping[:, 100:104].max() + 2.0  # a logit of -2
    level = np.abs(hilbert(bank(dipping, top=300.0)))[4000:-4000]
    assert level.max() / level.min() < 1.06
    assert np.abs(bank(steady - steady.max() - 2.0)).max() < 1e-6
    gone = steady.clone()
    gone[:, 100:] -= gone[:, 100:].max() + 3.0
    assert np.abs(bank(gone, top=300.0)[104 * N_FFT // 4 :]).max() < 1e-4
