"""Scores for a singing synthesiser: random Japanese syllables on a walk through a pitch range, as MusicXML."""

from __future__ import annotations

from xml.sax.saxutils import escape

import numpy as np

# Kana by consonant, in the order a i u e o; open vowels are what a timbre is made of, so they come most often.
_VOWELS = "あいうえお"
_ROWS = (
    "かきくけこ",
    "さしすせそ",
    "たちつてと",
    "なにぬねの",
    "はひふへほ",
    "まみむめも",
    "らりるれろ",
    "がぎぐげご",
    "ばびぶべぼ",
)
_OPEN_SHARE = 0.45
_STEPS = (
    ("C", 0),
    ("C", 1),
    ("D", 0),
    ("D", 1),
    ("E", 0),
    ("F", 0),
    ("F", 1),
    ("G", 0),
    ("G", 1),
    ("A", 0),
    ("A", 1),
    ("B", 0),
)
_DIVISIONS = 4
_BAR = 4 * _DIVISIONS


def random_song(seed: int, bars: int, low: int, high: int, tempo: float = 96.0) -> str:
    """Return a MusicXML document of ``bars`` bars in 4/4 with one syllable a note.

    The melody walks by mostly small steps within the MIDI notes ``low`` to ``high`` and visits each of
    them first in a shuffled order, so that the whole range is sung. ``tempo`` is in quarter notes a minute.
    Every fourth bar, and the last, ends in a rest: the singer's phrases.
    """
    rng = np.random.default_rng(seed)
    unsung: list[int] = []
    note = int(rng.integers(low, high + 1))
    measures = []
    for bar in range(bars):
        body = []
        if bar == 0:
            body.append(
                f"<attributes><divisions>{_DIVISIONS}</divisions><key><fifths>0</fifths></key>"
                "<time><beats>4</beats><beat-type>4</beat-type></time>"
                "<clef><sign>G</sign><line>2</line></clef></attributes>"
                f'<direction><sound tempo="{tempo:g}"/></direction>'
            )
        left = _BAR
        while left:
            breath = _DIVISIONS if bar % 4 == 3 or bar == bars - 1 else 0
            if (bar == 0 and left == _BAR) or left <= breath:
                body.append(_rest(min(left, _DIVISIONS)))
                left -= min(left, _DIVISIONS)
                continue
            lengths = [n for n in (2, 4, 4, 6, 8, 12, 16) if n <= left - breath]
            length = int(rng.choice(lengths or [left - breath]))
            unsung = unsung or list(rng.permutation(np.arange(low, high + 1)))
            if rng.random() < 0.6:
                note = int(unsung.pop())
            else:
                note = int(np.clip(note + rng.integers(-3, 4), low, high))
            body.append(_note(note, length, _syllable(rng)))
            left -= length
        measures.append(f'<measure number="{bar + 1}">{"".join(body)}</measure>')
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<score-partwise version="2.0"><part-list><score-part id="P1"><part-name>voice</part-name></score-part>'
        f'</part-list><part id="P1">{"".join(measures)}</part></score-partwise>\n'
    )


def _syllable(rng: np.random.Generator) -> str:
    vowel = int(rng.integers(5))
    if rng.random() < _OPEN_SHARE:
        return _VOWELS[vowel]
    return _ROWS[int(rng.integers(len(_ROWS)))][vowel]


def _kind(length: int) -> str:
    """Return the MusicXML type (and dot) of a length in sixteenths."""
    names = {16: "whole", 8: "half", 4: "quarter", 2: "eighth", 1: "16th"}
    if length in names:
        return f"<type>{names[length]}</type>"
    return f"<type>{names[length * 2 // 3]}</type><dot/>"


def _note(midi: int, length: int, text: str) -> str:
    step, alter = _STEPS[midi % 12]
    alteration = f"<alter>{alter}</alter>" if alter else ""
    return (
        f"<note><pitch><step>{step}</step>{alteration}<octave>{midi // 12 - 1}</octave></pitch>"
        f"<duration>{length}</duration><voice>1</voice>{_kind(length)}"
        f"<lyric><syllabic>single</syllabic><text>{escape(text)}</text></lyric></note>"
    )


def _rest(length: int) -> str:
    return f"<note><rest/><duration>{length}</duration><voice>1</voice>{_kind(length)}</note>"
