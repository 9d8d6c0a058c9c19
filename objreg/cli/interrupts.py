"""Ctrl-C, also while a store's client waits in native code, where Python does not hear it."""

import os
import signal
import threading
import time

__all__ = ["INTERRUPTED", "end_on_interrupt"]

INTERRUPTED = 130
GRACE_SECONDS = 2.0


def end_on_interrupt() -> None:
    """See to it that this process ends soon after Ctrl-C, whatever it waits for.

    Python raises ``KeyboardInterrupt`` as soon as it runs again, and then the program ends by itself, tidily. If it
    does not within the grace time, it is waiting for an answer that may never come, and is ended. That is as safe as a
    crash: what was not committed is not referenced.
    """
    if os.name != "posix":  # elsewhere a wake-up needs a socket, whose import every start would pay for
        return
    wait, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def watch() -> None:
        while signal.SIGINT not in os.read(wait, 16):
            pass
        time.sleep(GRACE_SECONDS)
        os._exit(INTERRUPTED)

    threading.Thread(target=watch, name="objreg-interrupts", daemon=True).start()
