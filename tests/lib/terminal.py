# SPDX-License-Identifier: Apache-2.0
"""A program at a terminal: what a person would see and type."""
import os
import pty
import select
import signal
import time

SECONDS = 60


def at_terminal(*command, answers=()):
    """Runs a program; each answer is (what it waits for, the line typed then). Returns what was shown; the program
    must end well and in time."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    end, shown = time.monotonic() + SECONDS, b""

    def read():
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise AssertionError(f"nothing more after {shown!r}")
        try:
            return os.read(fd, 1000)
        except OSError:  # the end of a terminal
            return b""

    for prompt, text in answers:
        while prompt.encode() not in shown:
            more = read()
            assert more, shown
            shown += more
        os.write(fd, text.encode() + b"\n")
    while more := read():
        shown += more
    status = os.waitpid(pid, 0)[1]
    os.close(fd)
    assert status == 0, shown
    return shown.decode()
