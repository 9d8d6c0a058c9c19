"""Real processes on real storage: many at once, killed at random, with answers cut, on full and read-only disks."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

import objreg
from tests.conftest import Servers
from tests.processes.race import Race
from tests.servers.proxy import Fault, Proxy

_YEAR = 365 * 24 * 3600.0


@pytest.fixture(params=["folder", "moto", "ceph"])
def race(request: pytest.FixtureRequest, tmp_path: Path, servers: Servers) -> Race:
    """A race on a local folder, on moto, and on the real S3 server."""
    if request.param == "folder":
        return Race(str(tmp_path / "registry"), tmp_path)
    server = servers[request.param]
    return Race(f"{server.new_bucket()}/registry", tmp_path, server.options("obstore"), "obstore")


def test_sixteen_writers_on_one_model(race: Race) -> None:
    """Each acknowledged change of sixteen processes is there once, and numbers have no gaps."""
    race.prepare()
    for number in range(16):
        race.start(f"writer{number}", 4)
    race.finish()

    found = race.check()

    assert len(race.notes("asked")) == 64
    assert not race.notes("unknown")
    assert sum(found.values()) == 1 + len(race.notes("done"))


def test_writers_killed_at_random_moments(race: Race) -> None:
    """What was acknowledged before ``kill -9`` is there once; what was under way is there once or not at all."""
    race.prepare()
    random = Random(5)
    for number in range(12):
        process = race.start(f"victim{number}", 50)
        threading.Timer(1.0 + random.random() * 2.0, process.kill).start()
        if number % 4 == 3:
            race.start(f"survivor{number}", 4)
    race.finish()

    race.check()

    assert len(race.notes("asked")) > len(race.notes("done")) > 0
    assert any(process.returncode == -9 for process in race.running)


def test_a_clock_a_year_behind(race: Race) -> None:
    """A writer whose clock is set back a year is refused or keeps the order; the others are not disturbed."""
    race.prepare()
    race.start("behind", 4, shift=-_YEAR)
    for number in range(3):
        race.start(f"right{number}", 4)
    race.finish()

    race.check()
    times = [item.time for item in race.open().history("race/clf")]

    assert times == sorted(times, reverse=True)
    assert len(race.notes("done")) + len(race.notes("unchanged")) >= 12


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_answers_and_connections_are_cut(engine: str, tmp_path: Path, servers: Servers) -> None:
    """Behind a proxy that loses answers, cuts bodies and says 500 and 503, nothing is lost or done twice."""
    server = servers["ministack"]
    url = f"{server.new_bucket()}/registry"
    Race(url, tmp_path, server.options(engine), engine).prepare()
    proxy = Proxy(server.origin)
    race = Race(url, tmp_path, server.options(engine, origin=proxy.origin), engine)
    stop = threading.Event()

    def disturb() -> None:
        random = Random(3)
        while not stop.wait(0.03):
            proxy.calm()
            proxy.inject(
                random.choice(
                    (
                        Fault("PUT", "/log/", lose_answer=True),
                        Fault("PUT", lose_answer=True),
                        Fault("PUT", "/log/", status=500),
                        Fault("PUT", status=503, apply=False),
                        Fault("GET", keep_body=20),
                        Fault("GET", status=500),
                    )
                )
            )

    disturber = threading.Thread(target=disturb)
    disturber.start()
    for number in range(4):
        race.start(f"writer{number}", 6)
    race.finish()
    stop.set()
    disturber.join()
    struck = sum(request.status != request.answered for request in proxy.requests)
    proxy.stop()

    Race(url, tmp_path, server.options(engine), engine).check()

    assert struck > 5, "the proxy disturbed next to nothing"


@pytest.fixture
def small_disk(new_disk: Callable[[str], Path]) -> Path:
    """A file system of its own, a megabyte large."""
    return new_disk("1m")


def test_a_full_disk_refuses_and_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    """When the disk is full, a push says so; what was acknowledged is there, and with space again all goes on."""
    race = Race(str(small_disk / "registry"), tmp_path)
    registry = race.prepare()
    big = tmp_path / "big.bin"
    done = 0

    def fill() -> None:
        nonlocal done
        while True:
            big.write_bytes(Random(done).randbytes(200_000))
            registry.push("race/clf", big, message=f"push {done}")
            done += 1

    with pytest.raises(objreg.StoreError, match=r"full|space"):
        fill()
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    registry.push("race/clf", big, message="after")

    messages = [item.message for item in race.open().history("race/clf")]

    assert messages == ["after", *(f"push {number}" for number in range(done - 1, -1, -1)), ""]
    assert not list(small_disk.rglob(".tmp-*"))
    race.check()


def test_a_read_only_folder_is_read_and_refuses_writes(small_disk: Path, tmp_path: Path) -> None:
    """On a read-only file system everything can be read, and a change is refused with the reason."""
    race = Race(str(small_disk / "registry"), tmp_path)
    race.prepare()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    registry = race.open()

    assert registry.pull("race/clf").joinpath("first.bin").read_bytes() == b"first"
    with pytest.raises(objreg.StoreError, match="read-only"):
        registry.set_state("race/clf", "production")

    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert registry.set_state("race/clf", "production").changed


def test_a_push_killed_half_way_can_be_repeated(tmp_path: Path) -> None:
    """After ``kill -9`` during a push nothing of it is seen, and the same push succeeds."""
    race = Race(str(tmp_path / "registry"), tmp_path)
    race.prepare()
    big = tmp_path / "big.bin"
    big.write_bytes(Random(1).randbytes(100_000_000))
    push = f"""
import time, objreg

def stall(_):
    print("a part is sent", flush=True)
    time.sleep(600)

objreg.open({race.url!r}).push("race/clf", {str(big)!r}, progress=stall)
"""
    process = subprocess.Popen([sys.executable, "-c", push], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"a part is sent\n"
    process.kill()
    process.communicate()

    assert [version.version for version in race.open().versions("race/clf")] == ["1.0"]
    assert race.open().push("race/clf", big).version == "1.1"
    race.check()
