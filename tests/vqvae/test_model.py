import numpy as np
import pytest
import torch

from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.model import VQVAE, CodeStream

SMALL = ModelConfig(width=32, encoder_blocks=1, decoder_blocks=2, n_codes=64, code_dim=8)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = VQVAE(SMALL).eval()
    model.quantizer.codebook.normal_()
    return model


@pytest.mark.parametrize("size", [1, 2, 7, 64, 200])
def test_chunked_equals_whole(model, size):
    codes = torch.randint(64, (150,), generator=torch.Generator().manual_seed(0))
    whole = model.decode_batch(codes[None])
    stream, parts = CodeStream(model), []
    chunks = codes.split(size)
    for index, chunk in enumerate(chunks):
        parts.append(stream.push(chunk, last=index == len(chunks) - 1))
    for name in ("f0", "voicing", "harmonic", "noise"):
        chunked = torch.cat([getattr(part, name) for part in parts], 0)
        assert torch.allclose(chunked, getattr(whole, name)[0], rtol=1e-4, atol=1e-5)


def test_a_sequence_decodes_to_its_own_length(model):
    for count in (1, 3, 40):
        assert len(model.decode(np.zeros(count, np.int64))) == count


def test_loudness_is_not_in_the_codes(model):
    random = np.random.default_rng(0)
    audio = (0.2 * np.sin(2 * np.pi * 330 * np.arange(22_050) / 44_100) + 0.02 * random.standard_normal(22_050)).astype(
        np.float32
    )
    loud, quiet = model.encode(audio), model.encode(audio / 8)
    same = loud.codes == quiet.codes
    assert same[2:-2].mean() > 0.95
    assert np.median(loud.loudness - quiet.loudness) == pytest.approx(18.06, abs=0.1)


def test_encoding_has_a_code_a_frame(model):
    encoded = model.encode(np.random.default_rng(0).standard_normal(5000).astype(np.float32) * 0.1)
    assert len(encoded.codes) == 1 + 5000 // 512 == len(encoded.loudness) == len(encoded.f0)
