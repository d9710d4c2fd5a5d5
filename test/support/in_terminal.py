"""Runs a command in a pseudo terminal and copies what it writes to stdout.

in_terminal.py COLUMNS[,COLUMNS...] TYPED COMMAND...

With several widths the terminal takes each in turn, one every half second. TYPED (JSON, a list of [seen, text]) is typed, each text
once the command has written what must be seen first.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

widths = [int(width) for width in sys.argv[1].split(",")]
typed = json.loads(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    # The size must be there before the command asks for it.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, widths[0], 0, 0))
    os.execvp(sys.argv[3], sys.argv[3:])
start = time.monotonic()
width = 0
seen = b""
while True:
    now = time.monotonic() - start
    if width + 1 < len(widths) and now > (width + 1) / 2:
        width += 1
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, widths[width], 0, 0))
    if typed and typed[0][0].encode() in seen:
        os.write(terminal, typed.pop(0)[1].encode())
        seen = b""
    ready, _, _ = select.select([terminal], [], [], 0.05)
    if not ready:
        continue
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    seen += data
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
