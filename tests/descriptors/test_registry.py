"""A descriptor is one file, found by its name."""

import subprocess
import sys

import pytest

from vqsynth import descriptors
from vqsynth.errors import UsageError

NEW = """
import numpy as np
from vqsynth.descriptors._base import Descriptor, Measurement

def measure(audio, sample_rate, n_fft=2048, hop_length=512, **hints):
    values = np.full(1 + len(audio) // hop_length, np.abs(audio).max(), np.float32)
    return Measurement(values, values > 0)

DESCRIPTOR = Descriptor("peak", "ratio", "linear", "largest sample", measure)
"""


def test_the_six():
    assert set(descriptors.names()) == {"centroid", "f0", "bandwidth", "rolloff", "flatness", "loudness"}
    for name in descriptors.names():
        descriptor = descriptors.get(name)
        assert descriptor.name == name
        assert descriptor.scale in ("log", "linear")
        assert descriptor.unit and descriptor.description


def test_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="centroid"):
        descriptors.get("centriod")


def test_a_new_file_is_a_new_descriptor(tmp_path):
    (tmp_path / "peak.py").write_text(NEW)
    program = (
        f"import numpy as np; import vqsynth.descriptors as d; d.__path__.append(r'{tmp_path}');"
        "print(d.measure(['peak', 'centroid'], np.full(2000, 0.25, np.float32), 8000)['peak'].values[0])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0.25"
