"""OSC 1.0 as bytes: messages and bundles, read strictly. What is cut short or padded wrongly is no message.

The Open Sound Control 1.0 specification (Wright 2002), with the types of OSC 1.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

Argument = float | str | bool | bytes | None
Read = tuple[float | None, str, list[Argument]]
"""Time of the bundle (of :func:`time.time`; None is at once), address, arguments."""
DEEPEST = 8
"""Bundles within each other."""
MOST = 4096
"""Messages of a packet."""
_BUNDLE = b"#bundle\0"
_SINCE_1900 = 2_208_988_800
_IMMEDIATELY = 1
_NUMBERS = {"f": ">f", "d": ">d", "i": ">i", "h": ">q"}
_CONSTANTS = {"T": True, "F": False, "N": None}


def decode(data: bytes) -> list[Read]:
    """Messages of a datagram, in their order.

    Raises:
        ValueError: it is no OSC, or more than anyone sends.
    """
    found: list[Read] = []
    _packet(data, None, 0, found)
    return found


def _packet(data: bytes, when: float | None, depth: int, found: list[Read]) -> None:
    if len(data) % 4 or not data:
        raise ValueError("not a multiple of four bytes")
    if not data.startswith(_BUNDLE):
        if len(found) >= MOST:
            raise ValueError("too many messages")
        found.append((when, *_message(data)))
        return
    if depth >= DEEPEST or len(data) < 16:
        raise ValueError("bundles within bundles, or one cut short")
    seconds, part, tag = *struct.unpack_from(">II", data, 8), *struct.unpack_from(">Q", data, 8)
    at = None if tag == _IMMEDIATELY else seconds - _SINCE_1900 + part / 2**32
    place = 16
    while place < len(data):
        (size,) = struct.unpack_from(">i", data, place)
        if size <= 0 or place + 4 + size > len(data):
            raise ValueError("an element has a wrong size")
        _packet(data[place + 4 : place + 4 + size], at, depth + 1, found)
        place += 4 + size


def _message(data: bytes) -> tuple[str, list[Argument]]:
    address, place = _string(data, 0)
    if not address.startswith("/"):
        raise ValueError("an address begins with /")
    types, place = _string(data, place)
    if not types.startswith(","):
        raise ValueError("no types")
    arguments: list[Argument] = []
    for kind in types[1:]:
        value, place = _argument(kind, data, place)
        arguments.append(value)
    if place != len(data):
        raise ValueError("more bytes than arguments")
    return address, arguments


def _argument(kind: str, data: bytes, place: int) -> tuple[Argument, int]:
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], place
    if kind in ("s", "S"):
        return _string(data, place)
    if kind in _NUMBERS:
        end = place + struct.calcsize(_NUMBERS[kind])
        if end > len(data):
            raise ValueError("a number is cut short")
        return struct.unpack_from(_NUMBERS[kind], data, place)[0], end
    raise ValueError("a type that is not known")


def _string(data: bytes, place: int) -> tuple[str, int]:
    end = data.find(b"\0", place)
    last = (end // 4 + 1) * 4
    if end < 0 or last > len(data) or any(data[end:last]):
        raise ValueError("a text is not ended as it must be")
    return data[place:end].decode("utf-8"), last


def encode(address: str, arguments: Sequence[Argument] = ()) -> bytes:
    """A message as a datagram; whole numbers become 32 bits, others single precision."""
    types, body = ",", b""
    for value in arguments:
        if isinstance(value, str):
            types, body = types + "s", body + _padded(value)
        elif value is None or isinstance(value, bool):
            types += "N" if value is None else "T" if value else "F"
        elif isinstance(value, int):
            types, body = types + "i", body + struct.pack(">i", value)
        else:
            types, body = types + "f", body + struct.pack(">f", value)
    return _padded(address) + _padded(types) + body


def bundles(messages: Iterable[bytes], largest: int) -> list[bytes]:
    """Messages in bundles of at most ``largest`` bytes, as far as no single one is larger."""
    found, held = [], b""
    for message in messages:
        part = struct.pack(">i", len(message)) + message
        if held and 16 + len(held) + len(part) > largest:
            found.append(held)
            held = b""
        held += part
    return [_BUNDLE + struct.pack(">Q", _IMMEDIATELY) + body for body in [*found, held] if body]


def _padded(text: str) -> bytes:
    data = text.encode("utf-8", "replace").replace(b"\0", b"?") + b"\0"
    return data + b"\0" * (-len(data) % 4)
