"""OSC in and out: datagrams to checked messages, and answers; nothing that comes in does harm."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from vqsynth.errors import UsageError
from vqsynth.live.messages import Message, Refused, read
from vqsynth.live.ports.osc_codec import Argument, Read, bundles, decode, encode

LOOPBACK = "127.0.0.1"
PORT = 9000
WINDOW, MOST = 0.01, 40
"""Seconds, and messages that are read in them; the rest of a flood is dropped unread."""
ERRORS_A_SECOND = 5
LARGEST = 1400
"""Bytes of an answer's packet: what every network carries in one piece."""
_BUFFER = 1 << 16
_AHEAD = 1.0
"""Seconds that the time tag of a bundle may lie in the future."""

Target = tuple[str, int]
Answer = tuple[str, Sequence[Argument]]
"""Address and arguments."""


def parse_target(text: str, field: str = "osc_out") -> Target:
    """``HOST:PORT``, or a port of this machine.

    Raises:
        UsageError: it is not one.
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65_535):
        raise UsageError("give HOST:PORT, as 127.0.0.1:9001", field=field, value=text)
    return host or LOOPBACK, int(port)


class OscPort:
    """A port that messages come in by.

    Args:
        take: called with a message and the time (of :func:`time.time`) that a bundle gives it, or None.
        answer: what ``/state`` is answered with.
        port: of UDP; 0 takes a free one.
        host: address of this machine that it listens at; loopback hears this machine alone.

    Attributes:
        address: host and port that it listens at.
        received: messages understood.
        malformed: datagrams that are no OSC.
        refused: messages with an unknown address or wrong arguments.
        flooded: datagrams dropped because too many came.
        foreign: datagrams from elsewhere.

    Raises:
        UsageError: the port is in use, or the address is not one of this machine.
    """

    def __init__(
        self,
        take: Callable[[Message, float | None], object],
        answer: Callable[[], Iterable[Answer]],
        port: int = PORT,
        host: str = LOOPBACK,
    ) -> None:
        self._take, self._answer = take, answer
        self.received = self.malformed = self.refused = self.flooded = self.foreign = 0
        self.last_refusal = ""
        self._errors = 0.0
        if not 0 <= port <= 65_535:
            raise UsageError("give 1 to 65535", field="osc_port", value=port)
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            self._socket.settimeout(0.2)
            self._socket.bind((host, port))
        except (OSError, UnicodeError) as error:
            self._socket.close()
            if isinstance(error, socket.gaierror) or "assign" in str(error):
                raise UsageError("is no address of this machine", field="osc_host", value=host) from error
            raise UsageError(f"cannot be used ({error}); choose another", field="osc_port", value=port) from error
        self.address: Target = self._socket.getsockname()[:2]
        self._local = ipaddress.ip_address(self.address[0]).is_loopback
        self._running = True
        self._thread = threading.Thread(target=self._listen, daemon=True, name="vqsynth-osc")
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._running = False
        self._thread.join()
        self._socket.close()

    def send(self, answers: Iterable[Answer], target: Target) -> None:
        """Send messages; who is not there does not hear them."""
        try:
            for packet in bundles((encode(*answer) for answer in answers), LARGEST):
                self._socket.sendto(packet, target)
        except OSError as error:
            self.last_refusal = f"{target[0]}:{target[1]} could not be sent to ({error})"

    def _listen(self) -> None:
        ends, read_now = time.monotonic() + WINDOW, 0
        while self._running:
            try:
                data, source = self._socket.recvfrom(_BUFFER)
            except (TimeoutError, OSError):
                continue
            now = time.monotonic()
            if now >= ends:
                ends, read_now = now + WINDOW, 0
            if self._local and not ipaddress.ip_address(source[0]).is_loopback:
                self.foreign += 1
            elif read_now >= MOST:
                self.flooded += 1
                if self.flooded % 64 == 0:
                    # A flood is left to the system for a while: reading it all would take the time of the sound.
                    time.sleep(WINDOW)
            else:
                read_now += self._read(data, source[:2])

    def _read(self, data: bytes, source: Target) -> int:
        """Do what a datagram says; returns how many messages were looked at."""
        try:
            found = decode(data)
        except (ValueError, UnicodeError):
            self.malformed += 1
            return 1
        for entry in found[:MOST]:
            self._one(entry, source)
        self.flooded += len(found[MOST:])
        return max(1, len(found))

    def _one(self, entry: Read, source: Target) -> None:
        when, address, arguments = entry
        try:
            message = read(address, arguments)
            if message.address == "/state":
                self.send(self._answer(), source)
            else:
                soon = when is not None and 0 < when - time.time() < _AHEAD
                self._take(message, when if soon else None)
            self.received += 1
        except Refused as error:
            self.refused += 1
            self.last_refusal = str(error)
            if time.monotonic() >= self._errors:
                self._errors = time.monotonic() + 1 / ERRORS_A_SECOND
                self.send([("/error", [str(error)])], source)
