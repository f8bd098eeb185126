"""MIDI and MPE to messages, and a mapping that learns."""

from __future__ import annotations

import mido
import pytest

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.live.messages import Refused, read
from vqsynth.live.ports import midi_port
from vqsynth.live.ports.midi_player import DEFAULTS, MidiPlayer, as_controllers, read_map, write_map


def said(player, *messages):
    return [m.text() for kind, values in messages for m in player.hear(mido.Message(kind, **values))]


def on(note, velocity=127, channel=0):
    return "note_on", {"note": note, "velocity": velocity, "channel": channel}


def off(note, channel=0):
    return "note_off", {"note": note, "channel": channel}


def wheel(pitch, channel=0):
    return "pitchwheel", {"pitch": pitch, "channel": channel}


def control(number, value, channel=0):
    return "control_change", {"control": number, "value": value, "channel": channel}


def test_notes_velocity_and_bend():
    player = MidiPlayer()
    assert said(player, on(69)) == ["/descriptor/loudness", "/note 69.0 1.0"]
    assert said(player, wheel(4096)) == ["/bend 1.0"]
    assert said(player, on(69, 0)) == ["/note 69.0 0.0"]
    assert said(player, control(101, 0), control(100, 0), control(6, 12), on(60), wheel(-8192)) == [
        "/descriptor/loudness",
        "/note 60.0 1.0",
        "/bend -12.0",
    ]


def test_in_mpe_every_note_has_its_own_bend():
    player = MidiPlayer()
    # The device says that it is one: RPN 6 with fifteen channels.
    said(player, control(101, 0), control(100, 6), control(6, 15))
    assert player.mpe
    assert said(player, wheel(2048, 2), on(60, channel=1), wheel(-2048, 2)) == [
        "/descriptor/loudness",
        "/note 60.0 1.0",
    ]
    assert said(player, wheel(1024, 1)) == ["/bend 6.0"]
    assert said(player, on(64, channel=2)) == ["/bend -12.0", "/descriptor/loudness", "/note 64.0 1.0"]
    assert said(player, wheel(2048, 1)) == []  # of a note that does not sound now
    assert said(player, wheel(8191, 0))[0].startswith("/bend -10.")  # the whole zone, two semitones
    assert said(player, off(64, 2))[0] == "/note 64.0 0.0"
    assert said(player, ("aftertouch", {"value": 127, "channel": 2})) == []
    assert said(player, ("aftertouch", {"value": 127, "channel": 1})) == ["/descriptor/loudness -12.0"]


def test_controllers_play_what_they_are_mapped_to():
    player = MidiPlayer()
    assert said(player, control(74, 0), control(74, 127), control(7, 127), control(99, 5), control(50, 5)) == [
        "/descriptor/centroid 600.0",
        "/descriptor/centroid 5000.0",
        "/gain 0.0",
    ]
    middle = read(*said(player, control(74, 64))[0].split()[:1], [1732.0])
    assert middle.part == "centroid"  # an octave is an octave
    assert said(player, on(60), control(123, 0))[-1] == "/note off"


def test_a_mapping_is_learned_and_kept(tmp_path):
    path = tmp_path / "map.toml"
    player = MidiPlayer(path=path)
    player.learn(read("/learn", ["/latent/3", -2.0, 2.0]))
    assert said(player, control(21, 127)) == ["/latent/3 2.0"]
    again = MidiPlayer(read_map(path))
    assert said(again, control(21, 0)) == ["/latent/3 -2.0"] and again.mapping == {
        **DEFAULTS,
        "cc 21": ("/latent/3", -2.0, 2.0),
    }
    with pytest.raises(Refused):
        player.learn(read("/learn", ["/colour"]))


@pytest.mark.parametrize(
    "text",
    [
        "MThd\0\0\0",
        "[controllers",
        "[controls]\n'cc 3' = ['/gain', 0, 1]",
        "[controllers]\n'cc 300' = ['/gain', 0, 1]",
        "[controllers]\n'cc 3' = ['/colour', 0, 1]",
        "[controllers]\n'cc 3' = ['/gain', 0, nan]",
        "[controllers]\n'cc 3' = ['/gain', 'loud', 1]",
        "[controllers]\n'cc 3' = '/gain'",
        "controllers = 3",
    ],
)
def test_a_broken_mapping_is_refused(tmp_path, text):
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(VqsynthError, match=r"map\.toml"):
        read_map(tmp_path / "map.toml")


def test_a_midi_file_is_no_mapping(tmp_path, midi):
    midi.save(tmp_path / "song.mid", midi.note(0, 1, 60))
    with pytest.raises(VqsynthError, match=r"song\.mid"):
        read_map(tmp_path / "song.mid")


def test_any_message_of_a_keyboard_is_taken(tmp_path):
    player = MidiPlayer()
    for data in ([0xF8], [0xFE], [0xC3, 5], [0xF0, 1, 2, 0xF7], [0xB0, 6, 3], [0xB0, 99, 1], [0xA0, 60, 5]):
        player.hear(mido.Message.from_bytes(data))
    write_map(tmp_path / "map.toml", player.mapping)
    assert read_map(tmp_path / "map.toml") == DEFAULTS and player.refused == 0


def test_descriptors_as_controllers():
    shown = as_controllers({"centroid": 1600.0, "loudness": 0.0, "f0": 10.0, "flatness": 0.1})
    assert shown == {16: round(127 * 5 / 8), 19: 127, 20: 0}


class Wire:
    def __init__(self):
        self.sent, self.closed = [], False

    def send(self, message):
        self.sent.append(message)

    def close(self):
        self.closed = True


def test_a_port_plays_and_shows(monkeypatch):
    taken, wires = [], (Wire(), Wire())
    monkeypatch.setattr(midi_port, "need", lambda module: None)
    monkeypatch.setattr(midi_port, "port_names", lambda: (["Keys 1"], ["Lights"]))

    def opened(name, callback):
        wires[0].callback = callback
        return wires[0]

    monkeypatch.setattr(mido, "open_input", opened)
    monkeypatch.setattr(mido, "open_output", lambda name: wires[1])
    port = midi_port.MidiPort(taken.append, "keys", "light")
    wires[0].callback(mido.Message("note_on", note=60, velocity=64))
    port.show({"centroid": 1600.0})
    port.show({"centroid": 1601.0})
    port.close()
    assert [m.address for m in taken] == ["/descriptor", "/note"]
    assert [(m.control, m.value) for m in wires[1].sent] == [(16, 79)]
    assert wires[0].closed and wires[1].closed
    with pytest.raises(UsageError, match="Keys 1"):
        midi_port.MidiPort(taken.append, "organ", None)
