"""The program as a process of its own: pipes, terminals, signals, full disks, and no network."""

import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from objreg.cli.failures import IO_FAILED
from tests.cli.conftest import Cli

PROGRAM = (sys.executable, "-m", "objreg")


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of Bash in which ``objreg`` is this program."""
    function = f'objreg() {{ {shlex.join(PROGRAM)} "$@"; }}; {line}'
    return subprocess.run(["bash", "-c", function], check=False, capture_output=True, text=True, timeout=60)


def terminal(*arguments: str, **environ: str) -> str:
    """Run the program at a terminal of 100 columns, and return what it shows."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environ}
    child = subprocess.Popen([*PROGRAM, *arguments], stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    shown = b""
    while True:
        try:
            data = os.read(leader, 4096)
        except OSError:  # how Linux says that the other end was closed
            break
        if not data:
            break
        shown += data
    os.close(leader)
    assert child.wait() == 0, shown
    return shown.decode()


def test_python_m_objreg_is_the_program(clf: Cli):
    """Results, errors and exit codes are those of the commands."""
    found = shell("objreg resolve fraud/clf@production | cut -f1; objreg resolve none; exit $?")
    assert (found.returncode, found.stdout) == (3, "fraud/clf:1.0\n")
    assert found.stderr.startswith("objreg: error: there is no model none")


def test_the_console_script_is_the_program(clf: Cli):
    """The entry point that the package names exists and exits with the command's code."""
    code = "import sys; sys.argv = ['objreg', 'resolve', 'none']; from objreg.cli import main; main()"
    found = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (3, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_is_no_error(clf: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbuffered: str):
    """``objreg cat … | head`` ends quietly, with 141 as other programs do."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    (tmp_path / "big").write_bytes(os.urandom(4 << 20))
    clf("push", "big", "big")
    found = shell("objreg cat big:1.0/big | head -c 10 | wc -c; echo ${PIPESTATUS[0]}")
    assert found.stdout.split() == ["10", "141"]
    assert found.stderr == ""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_stdout_may_be_closed_or_full(clf: Cli, monkeypatch: pytest.MonkeyPatch, unbuffered: str):
    """Closed, nothing is printed and nothing fails; full, the system's reason is told, with an exit code."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    closed = shell("objreg ls >&- && objreg cat fraud/clf >&-")
    assert (closed.returncode, closed.stderr) == (0, "")
    full = shell("objreg ls > /dev/full")
    assert (full.returncode, full.stderr) == (IO_FAILED, "objreg: error: No space left on device\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("form", ["", "--json"])
def test_output_that_does_not_fit_is_told(
    clf: Cli,
    tmp_path: Path,
    tiny_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    unbuffered: str,
    form: str,
):
    """Half a document is never a success, also where Python writes without a buffer, as in many containers."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    (tmp_path / "big").write_bytes(os.urandom(4 << 20))
    clf("push", "big", "big")
    full = shell(f"objreg cat big:1.0/big {form} > {shlex.quote(str(tiny_disk / 'output'))}")
    assert (full.returncode, "No space left on device" in full.stderr) == (IO_FAILED, True)
    left = shell(f"objreg cat big:1.0/big {form} | head -c 10 | wc -c; echo ${{PIPESTATUS[0]}}")
    assert left.stdout.split() == ["10", "141"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_the_exit_code_tells_where_stderr_cannot(clf: Cli, monkeypatch: pytest.MonkeyPatch, unbuffered: str):
    """Of an error whose message goes to a full disk, or to nobody."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    assert shell("objreg resolve none 2> /dev/full").returncode == 3
    assert shell("objreg resolve none 2>&-").returncode == 3


def test_letters_that_the_encoding_lacks_are_escapes(clf: Cli, monkeypatch: pytest.MonkeyPatch):
    """A description beyond Latin-1 does not fail where stdout is Latin-1."""
    clf("push", "fraud/clf:3.0", "model", "-d", "模型")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    assert "description\t\\u6a21\\u578b" in shell("objreg show fraud/clf").stdout


def test_a_terminal_gets_a_table(clf: Cli):
    """With headers, short digests that still name the version, and sizes for people."""
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal("resolve", "fraud/clf"))
    assert "version" in shown
    digest = re.search(r"sha256:[0-9a-f]+", shown)[0]
    assert len(digest) == len("sha256:") + 12
    assert clf("resolve", f"fraud/clf@{digest}").rows[0][0] == "fraud/clf:1.1"
    assert "10 bytes" in terminal("show", "fraud/clf")


def test_a_narrow_terminal_loses_nothing(clf: Cli):
    """Cells fold, so that a name is whole even where there is little room."""
    shown = terminal("ls", "fraud/clf", COLUMNS="60", NO_COLOR="1", TERM="dumb")
    assert all(len(line) <= 60 for line in shown.splitlines())
    assert "…" not in shown
    for columns in ("40", "60", "80", "100"):
        shown = terminal("ls", "fraud/clf", COLUMNS=columns, NO_COLOR="1", TERM="dumb")
        lines = shown.splitlines()
        column = min(line.index("sha") for line in lines if "sha" in line)
        last = "".join(line[column:].strip() for line in lines)
        for row in clf("ls", "fraud/clf").rows:
            assert row[-1][:19] in last, shown


def test_colours_can_be_switched_off(clf: Cli):
    """NO_COLOR is honoured, and a pipe never gets colours."""
    assert "\x1b[38" not in terminal("ls", NO_COLOR="1")
    assert "\x1b" not in shell("objreg ls; objreg show fraud/clf").stdout


def test_a_terminal_sees_progress_and_a_pipe_does_not(clf: Cli):
    """The bar goes to stderr, where a person watches; the path stands on stdout all the same."""
    piped = shell("objreg push fraud/clf:4.0 model/vocab.txt")
    assert (piped.stdout, piped.stderr) == ("fraud/clf:4.0\n", "")
    assert "push fraud/clf:5.0" in terminal("push", "fraud/clf:5.0", "model/vocab.txt")


def test_processes_that_push_at_once_get_versions_of_their_own(clf: Cli, tmp_path: Path):
    """Each succeeds, with a version that no other has, and the history holds them all."""
    for number in range(4):
        (tmp_path / f"{number}.bin").write_bytes(b"x" * (number + 1))
    children = [
        subprocess.Popen([*PROGRAM, "push", "fraud/race", f"{number}.bin"], stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    pushed = [child.communicate(timeout=60)[0].strip() for child in children]
    assert sorted(pushed) == [f"fraud/race:1.{number}" for number in range(4)]
    assert len(clf("log", "fraud/race").rows) == 4


SLOW = r"""
    import os, sys, time
    from objreg.store.local import LocalStore
    create = LocalStore.create

    def slowly(self, key, data):
        if "/blobs/" in key:
            os.write(2, b"sending\n")
            time.sleep(0.5)
        return create(self, key, data)

    LocalStore.create = slowly
    from objreg.cli import main
    sys.argv = ["objreg", "push", "fraud/slow", "many"]
    main()
"""


def test_ctrl_c_during_a_push_commits_nothing(clf: Cli, tmp_path: Path):
    """The process ends with 130 and says nothing; the registry has no version, and the next push works."""
    (tmp_path / "many").mkdir()
    for number in range(60):
        (tmp_path / "many" / f"{number}.bin").write_bytes(os.urandom(100_000))
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(SLOW)], stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    assert child.stderr.readline() == "sending\n"
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=20)
    assert child.returncode == 130
    assert set(said.split()) <= {"sending"}
    assert "no model" in clf("ls", "fraud/slow", code=3).err
    assert clf("push", "fraud/slow", "many").out == "fraud/slow:1.0\n"


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_ctrl_c_is_heard_while_a_store_does_not_answer(cli: Cli, monkeypatch: pytest.MonkeyPatch, engine: str):
    """Also where the client waits in native code, the process ends within seconds, with 130 and without a traceback."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"endpoint_url=http://127.0.0.1:{silent.getsockname()[1]}"
        options = ["--registry", "s3://b/x", "--engine", engine, "--option", endpoint, "--option", "region=us-east-1"]
        child = subprocess.Popen([*PROGRAM, "resolve", "x", *options], stderr=subprocess.PIPE, text=True)
        with silent.accept()[0]:  # the client has connected, and waits
            child.send_signal(signal.SIGINT)
            _, said = child.communicate(timeout=10)
    assert (child.returncode, said) == (130, "")


def test_a_full_disk_is_told(clf: Cli, tmp_path: Path, tiny_disk: Path):
    """A registry on a full disk: one sentence with the reason, the store's exit code, and no version."""
    (tmp_path / "big").write_bytes(os.urandom(300_000))
    clf("init", tiny_disk / "registry")
    result = clf("push", "m", "big", "--registry", tiny_disk / "registry", code=10)
    assert "no space left" in result.err.lower()
    assert "no model m" in clf("resolve", "m", "--registry", tiny_disk / "registry", code=3).err


def nobody_listens() -> int:
    """Return a port of this machine that refuses connections."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_no_network_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch, engine: str):
    """Where nothing answers, the store's exit code and one sentence, without a traceback, in bearable time."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    began = time.monotonic()
    line = f"objreg resolve x --registry s3://bucket/x --option endpoint_url=http://127.0.0.1:{nobody_listens()}"
    found = shell(f"{line} --option region=us-east-1 --engine {engine} --json")
    assert found.returncode == 11, found.stderr
    assert '"StoreUnavailable"' in found.stderr
    assert not {"hunter2", "Traceback"} & set(re.split(r"\W", found.stderr))
    assert time.monotonic() - began < 40


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("OBJREG_URL=$HERE/registry objreg pull fraud/clf@production", 0, ""),
        ("OBJREG_URL=$HERE/registry objreg push fraud/new $HERE/model", 0, ""),
        ("OBJREG_URL=$HERE/registry objreg sync", 2, "the working directory was removed: change to one that is there"),
        ("OBJREG_URL=registry objreg ls", 2, "'registry' is below the working directory, which was removed"),
        ("unset OBJREG_URL; objreg ls", 2, "the working directory was removed"),
    ],
)
def test_the_working_directory_may_be_gone(clf: Cli, tmp_path: Path, line: str, code: int, message: str):
    """What needs none works in a folder that was removed; the rest says what is wrong."""
    done = shell(f"HERE={tmp_path}; mkdir gone; cd gone; rmdir ../gone; {line}")
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
