"""``python -m vqsynth`` is the command ``vqsynth``."""

from vqsynth.cli import main

if __name__ == "__main__":
    main()
