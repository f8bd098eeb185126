"""Start the server, and open the page."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.play.guard import Gate

PORT = 8765


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        UsageError: no such port, or it cannot be listened at; says what to do.
    """
    if not 0 <= port <= 65_535:
        raise UsageError("give a port from 1 to 65535, or 0 for a free one", field="port", value=port)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
    except PermissionError:
        server.close()
        raise UsageError("this port needs more rights; choose one above 1023", field="port", value=port) from None
    except socket.gaierror:
        server.close()
        raise UsageError("this machine has no such address; try 127.0.0.1", field="host", value=host) from None
    except OSError as error:
        server.close()
        if error.errno in (98, 48, 10048):
            raise UsageError("is taken by another program; choose another, or 0", field="port", value=port) from None
        raise UsageError(f"cannot be listened at ({error.strerror})", field="host", value=host) from None
    return server


def serve(host: str, port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Args:
        host: to listen at; others than the loopback ask for a token.
        port: 0 takes a free one.
        browser: whether to open the page.
        say: told the address.

    Raises:
        UsageError: host or port cannot be used.
        VqsynthError: the extra is not installed.
    """
    try:
        import uvicorn

        from vqsynth.play.app import application
    except ImportError:
        raise VqsynthError(
            "the playground needs more packages; install them with: pip install 'vqsynth[play]'"
        ) from None
    with listening(host, port) as server:
        port = server.getsockname()[1]
        gate = Gate(host, port)
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{port}/" + (f"#token={gate.token}" if gate.token else "")
        say(f"the playground is at {address}; Ctrl-C ends it")
        if gate.token:
            say("the token lets in one browser, once; whoever has it can play and train on this machine")
        if browser:
            webbrowser.open(address)
        config = uvicorn.Config(
            application(gate),
            log_level="warning",
            server_header=False,
            date_header=False,
            ws_max_size=1 << 16,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=1 << 16,
            limit_concurrency=256,
        )
        uvicorn.Server(config).run(sockets=[server])
