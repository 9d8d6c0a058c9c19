"""Ceph's RADOS gateway: an S3 server of production, here of one monitor, one object daemon in memory and one gateway.

From Debian's packages, without root's rights or a container; it takes about 20 seconds, most of them for the pools.
"""

import json
import subprocess
import uuid

from tests.servers.process import ServerProcess, free_ports, program, wait_until
from tests.servers.server import S3Server, answers

__all__ = ["Ceph"]

_INSTALL = "apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common"

_CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{monitor}/0]
public network = 127.0.0.0/8
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.$pid.asok
log file = {folder}/$name.log
osd objectstore = memstore
memstore device bytes = 2147483648
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 1
mon data avail crit = 0
mon data = {folder}/mon
osd data = {folder}/osd
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{gateway} tcp_nodelay=1
rgw enable usage log = false
rgw dynamic resharding = false
rgw override bucket index max shards = 1
[osd.0]
keyring = {folder}/osd/keyring
"""


class Ceph(S3Server):
    name = "ceph"

    def start(self) -> None:
        for name in ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"):
            program(name, _INSTALL)
        monitor, gateway = free_ports(2)
        self.origin = f"http://127.0.0.1:{gateway}"
        fsid = str(uuid.uuid4())
        for part in ("mon", "osd", "rgw"):
            (self.folder / part).mkdir()
        configuration = _CONFIGURATION.format(fsid=fsid, folder=self.folder, monitor=monitor, gateway=gateway)
        (self.folder / "ceph.conf").write_text(configuration)
        self._start_monitor(fsid, monitor)
        self._start_object_daemon()
        self._create_user()
        process = self._daemon("radosgw", "-n", "client.admin")
        wait_until(lambda: answers(self.origin), seconds=90, what="Ceph's gateway", process=process)

    def _start_monitor(self, fsid: str, port: int) -> None:
        keyring, monmap = str(self.folder / "keyring"), str(self.folder / "monmap")
        self._run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        everything = [word for part in ("mon", "osd", "mgr") for word in ("--cap", part, "allow *")]
        self._run("ceph-authtool", keyring, "--gen-key", "-n", "client.admin", *everything)
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{port}]", monmap)
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap, "--keyring", keyring)
        self._daemon("ceph-mon", "-i", "a")

    def _start_object_daemon(self) -> None:
        identity = str(uuid.uuid4())
        secret = self._run("ceph-authtool", "--gen-print-key").strip()
        self._run("ceph", "osd", "new", identity, "-i", "-", text=json.dumps({"cephx_secret": secret}))
        keyring = str(self.folder / "osd" / "keyring")
        self._run("ceph-authtool", "--create-keyring", keyring, "--name", "osd.0", "--add-key", secret)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity)
        self._daemon("ceph-osd", "-i", "0")
        self._run("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=here")

    def _create_user(self) -> None:
        user = ["--uid=tests", "--display-name=tests", f"--access-key={self.access_key}", f"--secret={self.secret_key}"]
        self._run("radosgw-admin", "user", "create", *user)

    def _daemon(self, name: str, *arguments: str) -> ServerProcess:
        command = [name, "-f", "-c", str(self.folder / "ceph.conf"), *arguments]
        process = ServerProcess(command, log=self.folder / f"{name}.out")
        self.processes.append(process)
        return process

    def _run(self, name: str, *arguments: str, text: str = "") -> str:
        """Run one of Ceph's commands, with patience for a monitor that has just been started."""
        command = [name, "-c", str(self.folder / "ceph.conf"), *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed with {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stdout
