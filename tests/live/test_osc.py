"""OSC by a real socket: what comes in right is done, what comes in wrong changes nothing."""

from __future__ import annotations

import socket
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pythonosc")
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket

from vqsynth.errors import UsageError
from vqsynth.live.ports.osc import MOST, OscPort, parse_target
from vqsynth.live.ports.osc_codec import bundles, decode, encode


def packed(address, *arguments):
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build()


def wait_for(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


@pytest.fixture
def port():
    taken = []
    answers = [("/gain", [-3.0]), ("/model", ["violin"]), *((f"/scale/{n}", [float(n)]) for n in range(200))]
    port = OscPort(lambda message, when: taken.append((message, when)), lambda: answers, 0)
    port.taken = taken
    yield port
    port.close()


@pytest.fixture
def client(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.connect(port.address)
        yield client


def test_messages_arrive(port, client):
    for content in (packed("/descriptor/centroid", 1800), packed("/note", "A4", 0.8), packed("/latent/3", 0.5)):
        client.send(content.dgram)
    wait_for(lambda: port.received == 3)
    assert [m.text() for m, _ in port.taken] == [
        "/descriptor/centroid 1800.0",
        "/note 69.0 0.800000011920929",
        "/latent/3 0.5",
    ]
    assert port.address[0] == "127.0.0.1"


def test_bundles_arrive_with_their_time(port, client):
    when = time.time() + 0.5
    bundle = OscBundleBuilder(when)
    bundle.add_content(packed("/gain", -3.0))
    now = OscBundleBuilder(IMMEDIATELY)
    now.add_content(packed("/gain", -9.0))
    client.send(bundle.build().dgram)
    client.send(now.build().dgram)
    wait_for(lambda: port.received == 2)
    assert port.taken[0][1] == pytest.approx(when, abs=1e-3) and port.taken[1][1] is None


def test_state_is_answered_to_who_asked(port, client):
    client.send(packed("/state").dgram)
    found = {}
    while len(found) < 202:
        for entry in OscPacket(client.recv(65_536)).messages:
            found[entry.message.address] = entry.message.params
    assert found["/gain"] == [-3.0] and found["/model"] == ["violin"] and found["/scale/199"] == [199.0]


def test_wrong_arguments_are_answered_and_change_nothing(port, client):
    for content in (packed("/gain", "loud"), packed("/gain", float("nan")), packed("/nothing"), packed("/gain", True)):
        client.send(content.dgram)
    wait_for(lambda: port.refused == 4)
    assert not port.taken
    assert "not a number" in OscPacket(client.recv(65_536)).messages[0].message.params[0]


def test_garbage_is_counted(port, client):
    random = np.random.default_rng(0)
    good = packed("/gain", -3.0).dgram
    bad = [b"", b"\0", b"/gain", b"#bundle\0", b"#bundle\0" + b"\xff" * 40, good[:-3], b"/gain\0\0\0,f\0\0"]
    bad += [random.bytes(int(n)) for n in random.integers(1, 200, 40)]
    # Bundles in bundles in bundles.
    nested = good
    for _ in range(3000):
        nested = b"#bundle\0" + b"\0" * 7 + b"\1" + len(nested).to_bytes(4, "big") + nested
        if len(nested) > 60_000:
            break
    for data in [*bad, nested]:
        client.send(data)
        time.sleep(0.001)
    client.send(good)
    wait_for(lambda: port.received >= 1)
    assert port.malformed + port.refused > 20
    assert {m.text() for m, _ in port.taken} == {"/gain -3.0"}
    assert port._thread.is_alive()


def test_a_flood_is_dropped_and_costs_little(port, client):
    data, sent = packed("/gain", -3.0).dgram, 20_000
    began, worked = time.monotonic(), time.process_time()
    for _ in range(sent):
        client.send(data)
    seconds = time.monotonic() - began
    time.sleep(0.1)
    assert port.received <= MOST * (seconds + 0.3) / 0.01
    assert port.flooded > 0 and port.received < sent
    client.send(packed("/bend", 1.0).dgram)
    wait_for(lambda: port.taken[-1][0].address == "/bend")
    assert time.process_time() - worked < seconds + 1.0


def test_a_bundle_of_thousands_is_a_flood(port, client):
    bundle = OscBundleBuilder(IMMEDIATELY)
    for _ in range(1000):
        bundle.add_content(packed("/gain", -3.0))
    client.send(bundle.build().dgram)
    wait_for(lambda: port.flooded == 1000 - MOST)
    assert port.received == MOST


def test_a_port_in_use_is_said(port):
    with pytest.raises(UsageError) as error:
        OscPort(lambda *_: None, list, port.address[1])
    assert error.value.field == "osc_port" and "choose another" in str(error.value)


@pytest.mark.parametrize("host", ["192.0.2.7", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_said(host):
    with pytest.raises(UsageError):
        OscPort(lambda *_: None, list, 0, host)


def test_another_implementation_reads_what_is_written():
    made = bundles([encode("/x", ["y" * 100, 1.5, 7, True, None, "ü"])] * 50, 1400)
    assert max(map(len, made)) <= 1400
    found = [entry.message for p in made for entry in OscPacket(p).messages]
    assert len(found) == 50 and found[0].params == ["y" * 100, 1.5, 7, True, None, "ü"]
    assert bundles([], 1400) == []


@given(st.binary(max_size=60))
def test_bytes_are_messages_or_refused(data):
    for packet in (data, b"#bundle\0" + data, b"/gain\0\0\0,f\0\0" + data):
        try:
            messages = decode(packet)
        except (ValueError, UnicodeError):
            continue
        assert all(address.startswith("/") for _, address, _ in messages)


def test_every_cut_of_a_message_is_refused():
    whole = encode("/descriptor/centroid", [1800.0, "x", 3])
    assert decode(whole) == [(None, "/descriptor/centroid", [1800.0, "x", 3])]
    for length in range(len(whole)):
        with pytest.raises(ValueError):
            decode(whole[:length])


def test_targets():
    assert parse_target("9001") == ("127.0.0.1", 9001) and parse_target("10.0.0.2:80") == ("10.0.0.2", 80)
    for text in ("", "host", "host:0", "host:99999", "1:٣"):
        with pytest.raises(UsageError):
            parse_target(text)
