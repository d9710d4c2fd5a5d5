"""Ends this process when its parent is gone, for any reason."""

import os
import signal
import sys
import threading

GRACE_SECONDS = 5


def until_parent_ends() -> None:
    """Asks this process to end once its stdin closes, and sees to it that it does.

    The starter holds the other end of stdin and writes nothing. The system closes that end even when the starter is
    killed, so that no emulator is left behind.
    """
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    last = threading.Timer(GRACE_SECONDS, os._exit, [1])
    last.daemon = True
    last.start()
