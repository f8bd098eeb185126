import sys
from pathlib import Path

# Appended, so that an installed vqsynth is still the one under test.
sys.path.append(str(Path(__file__).resolve().parents[2]))
