"""Run several clients as interleaved tasks, one request at a time, in an order that a seed decides.

Each client runs in a thread of its own, but only one thread runs at any moment: a client stops before every request and
goes on when it is drawn. So a seed gives the same history every time, on any machine, and a failing one can be
replayed.
"""

import threading
from collections.abc import Callable
from random import Random

__all__ = ["Crash", "Scheduler"]

_PATIENCE = 60.0


class Crash(BaseException):
    """The client's machine died: nothing of the client goes on."""


class Scheduler:
    """Draws which client goes on.

    Args:
        random: the seed's source of chance, shared by everything that is drawn.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now = 0.0
        self._condition = threading.Condition()
        self._running: set[str] = set()
        self._waiting: dict[str, bool] = {}
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    def start(self, name: str, run: Callable[[], None]) -> None:
        """Add a client; it begins when ``run_all`` draws it."""

        def body() -> None:
            try:
                self.step(name)
                run()
            except Crash:
                pass
            except BaseException as error:  # noqa: BLE001  # whatever went wrong in a client fails the test
                self._errors.append(error)
            finally:
                with self._condition:
                    self._running.discard(name)
                    self._condition.notify_all()

        self._running.add(name)
        self._threads.append(threading.Thread(target=body, name=name, daemon=True))

    def step(self, name: str) -> None:
        """Wait until this client is drawn. Every request and every pause begins with this."""
        with self._condition:
            self._waiting[name] = False
            self._running.discard(name)
            self._condition.notify_all()
            if not self._condition.wait_for(lambda: self._waiting[name], _PATIENCE):
                raise AssertionError(f"the simulation stands still: {name} was not drawn")
            del self._waiting[name]

    def run_all(self, tick: Callable[[], None]) -> None:
        """Run all clients that were added to their end; ``tick`` is called before each draw, for what happens by itself (a late request arrives)."""
        for thread in self._threads:
            thread.start()
        while True:
            with self._condition:
                if not self._condition.wait_for(lambda: not self._running, _PATIENCE):
                    raise AssertionError(f"the simulation stands still in {sorted(self._running)}")
                if self._errors:
                    raise self._errors[0]
                if not self._waiting:
                    break
                tick()
                drawn = self.random.choice(sorted(self._waiting))
                self.now += self.random.expovariate(20)
                self._running.add(drawn)
                self._waiting[drawn] = True
                self._condition.notify_all()
        self._threads.clear()
        tick()
