"""The whole continuous model as a stream: the offline sound, later by exactly what it says."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from vqsynth.dsp.loudness import loudness
from vqsynth.streaming.module import scripted, states
from vqsynth.wavae.network.stream import Stream, whole_stream

BLOCKS = [1, 7, 64, 512, 2048]


@pytest.fixture(scope="module")
def whole(domain, note):
    """The note resynthesised at once. Shape: [88200]."""
    return domain.model.resynthesise(note)


def pushed(stream: Stream, audio: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([stream.push(audio[start : start + size]) for start in range(0, len(audio), size)])


def assert_same(actual: np.ndarray, expected: np.ndarray, tolerance: float = 1e-4) -> None:
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= tolerance


@pytest.mark.parametrize("size", BLOCKS)
def test_the_stream_is_the_offline_sound(domain, note, whole, size):
    count = 12_000 if size == 1 else len(note)
    stream = Stream(domain.model)
    late = pushed(stream, note[:count], size)
    assert len(late) == count
    assert not late[: stream.latency - domain.config.n_fft].any()
    assert_same(late[stream.latency :], whole[: count - stream.latency])


def test_the_latency_is_that_of_a_sound(domain, make_tone):
    """Measured on bursts: their energy comes as late as the stream says."""
    sound = np.zeros(60_000, np.float32)
    for start in (9000, 31_000):
        sound[start : start + 6000] = make_tone(330.0, 6000 / 44_100)
    stream = Stream(domain.model)
    late = pushed(stream, sound, 512)
    envelopes = [np.sqrt(np.convolve(x**2, np.hanning(1024), "same")) for x in (sound, late)]
    spectra = [np.fft.rfft(x - x.mean(), 1 << 17) for x in envelopes]
    lag = int(np.argmax(np.fft.irfft(spectra[1] * spectra[0].conj())[: 1 << 14]))
    # Loudness is measured every 512 samples.
    assert lag == pytest.approx(stream.latency, abs=512)
    assert stream.latency == domain.config.latency
    assert stream.latency / 44_100 < 0.06


def test_blocks_of_every_size_in_turn(domain, note, whole):
    sizes = [0, 1, 0, 3, 1023, 1, 1024, 1025, 0, 5000, 17, 2048, 2049, 1]
    stream, parts, start = Stream(domain.model), [], 0
    for size in sizes:
        parts.append(stream.push(note[start : start + size]))
        assert len(parts[-1]) == size
        start += size
    assert_same(np.concatenate(parts)[stream.latency :], whole[: start - stream.latency])


def test_four_sounds_in_one_batch(domain, note, low_note):
    """A batch is as many streams, each as loud as its sound; the first has the noise of a stream alone."""
    sounds = np.stack([note[:40_000], low_note[:40_000], note[40_000:80_000], 0.1 * note[:40_000]])
    stream = whole_stream(domain.model)
    stream.reset(4)
    with torch.inference_mode():
        together = torch.cat([stream(block) for block in torch.from_numpy(sounds).split(700, 1)], 1).numpy()
    alone = pushed(Stream(domain.model), sounds[0], 700)
    assert_same(together[0], alone)
    for late, sound in zip(together, sounds):
        heard = loudness(late[stream.latency :], 44_100)
        asked = loudness(sound[: len(late) - stream.latency], 44_100)
        loud = asked > asked.max() - 25
        assert np.median(np.abs(heard - asked)[loud]) < 2


def test_scripted_is_the_same_sound(domain, note, whole):
    stream = scripted(whole_stream(domain.model), torch.zeros(1, 512))
    with torch.inference_mode():
        late = torch.cat([stream(block) for block in torch.from_numpy(note)[None].split(512, 1)], 1)[0].numpy()
    latency = domain.config.latency
    assert_same(late[latency:], whole[: len(note) - latency])


def test_a_scripted_model_survives_the_disk(domain, note, tmp_path):
    """What an export wraps: saved, loaded without a line of ours, it goes on from silence."""
    stream = torch.jit.script(whole_stream(domain.model))
    torch.jit.save(stream, str(tmp_path / "model.ts"))
    loaded = torch.jit.load(str(tmp_path / "model.ts"))
    block = torch.from_numpy(note[:20_480])[None]
    with torch.inference_mode():
        assert_same(loaded(block).numpy(), stream(block).numpy(), 1e-6)


def test_threads_on_one_model_do_not_meet(domain, note, low_note):
    """Two streams at once give what each gives alone, to the last bit."""
    sounds = [note[:30_000], low_note[:30_000]]
    alone = [pushed(Stream(domain.model, seed), sound, 512) for seed, sound in enumerate(sounds)]
    together: list[np.ndarray | None] = [None, None]
    start = threading.Barrier(2)

    def work(number: int) -> None:
        stream = Stream(domain.model, number)
        start.wait()
        together[number] = pushed(stream, sounds[number], 512)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for sound, expected in zip(together, alone):
        np.testing.assert_array_equal(sound, expected)


def test_interleaved_streams_and_whole_sounds_do_not_meet(domain, note, low_note):
    sounds = [note[:20_000], low_note[:20_000]]
    alone = [pushed(Stream(domain.model, seed), sound, 700) for seed, sound in enumerate(sounds)]
    streams, parts = [Stream(domain.model, seed) for seed in (0, 1)], ([], [])
    for first in range(0, 20_000, 700):
        for stream, sound, made in zip(streams, sounds, parts):
            made.append(stream.push(sound[first : first + 700]))
        domain.model.resynthesise(note[:2048])
    for made, expected in zip(parts, alone):
        np.testing.assert_array_equal(np.concatenate(made), expected)


def test_the_model_itself_keeps_nothing(domain, note):
    before = {name: buffer.clone() for name, buffer in states(domain.model)}
    with domain.streaming() as stream:
        stream.push(note[:5000])
    domain.model.resynthesise(note[:5000])
    assert before
    for name, buffer in states(domain.model):
        assert torch.equal(buffer, before[name]), name


def test_a_live_stream_sounds_the_same(domain, note, whole):
    for _ in range(2):  # warming up leaves nothing behind
        with domain.streaming(live=True) as stream:
            late = pushed(stream, note[:30_000], 512)
        assert_same(late[stream.latency :], whole[: 30_000 - stream.latency])


def test_latents_of_a_stream_are_those_of_the_whole(domain, note):
    stream, sound = domain.model.stream(), torch.from_numpy(note[: 40 * 1024])
    with torch.inference_mode():
        parts = [stream.encode_hops(block[None]) for block in sound.split(3 * 512)]
    latents, controls = (torch.cat(part, 1)[0].numpy() for part in zip(*parts))
    assert len(latents) == 40
    for got, expected in zip((latents, controls), domain.model.encode(note[: 40 * 1024])):
        assert_same(got, expected[:40])


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_frames_to_sound(domain, path, size):
    stream = domain.model.stream()
    chunks = zip(torch.from_numpy(path.z).split(size), torch.from_numpy(path.controls).split(size))
    with torch.inference_mode():
        sound = torch.cat([stream.decode_frames(*(x[None] for x in chunk))[0] for chunk in chunks]).numpy()
    sound = sound[stream.decoder_latency :]
    expected = domain.model.decode(path.z, path.controls, len(sound))
    assert_same(sound[: len(expected)], expected)


def test_arrays_go_in_and_come_out(domain, note):
    as_arrays = [Stream(domain.model).push(note[:8192])]
    as_tensors = [Stream(domain.model).push(torch.from_numpy(note[:8192]))]
    assert all(isinstance(block, np.ndarray) for block in as_arrays)
    assert np.array_equal(np.concatenate(as_arrays), torch.cat(as_tensors).numpy())
