"""A real SLURM cluster on this machine, for tests: munge, MariaDB, slurmdbd, slurmctld and a slurmd per node.

    python tests/slurm/cluster.py up FOLDER       start it (or what is missing of it); prints what to put into the environment
    python tests/slurm/cluster.py down FOLDER     stop it and remove the folder
    python tests/slurm/cluster.py install         install what is missing of SLURM, with Debian's apt

Keys, configuration, database, spool, logs and the pids of everything that was started lie in FOLDER; nothing is read from or
written to the system's folders, no systemd, no cgroups, loopback only, as any user.  Two nodes with CPUs in the partition `cpu`,
two with two GPUs each in the partition `gpu`.  GPUs are links to the null device: SLURM counts and allots them, nothing can
compute on them.  A job over its memory is found by sampling and ends as FAILED with signal 9, not as OUT_OF_MEMORY.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PROGRAMS = ("munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "sbatch", "sacct")
PACKAGES = "slurmctld slurmd slurm-client slurmdbd munge mariadb-server"
MARK = ".cluster-of-tests"
NODES = {"cpu1": 0, "cpu2": 0, "gpu1": 2, "gpu2": 2}  # node: GPUs
CPUS, MEMORY = 4, 32000  # of each node, declared: they need not be there
SOCKET_PATH = 107  # bytes that the path of a Unix socket may have

SLURM_CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# cred_expire is also how long a requeued job waits before it may start again (120 s when not said)
AuthInfo=socket={folder}/run/munge.socket,cred_expire=5
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.own
SlurmdPidFile={folder}/run/slurmd.%n.own
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=1
SlurmctldTimeout=30
SlurmdTimeout=10
KillWait=3
MinJobAge={min_job_age}
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0,sched_min_interval=0
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
JobRequeue=1
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports[2]}
# towards slurmdbd the munge socket is taken from here, AuthInfo is not used
AccountingStoragePass={folder}/run/munge.socket
AccountingStorageTRES=gres/gpu,gres/gpu:fake
{nodes}
PartitionName=cpu Nodes={cpu} Default=YES MaxTime=24:00:00 DefaultTime=00:10:00 DefMemPerCPU=500 State=UP
PartitionName=gpu Nodes={gpu} MaxTime=24:00:00 DefaultTime=00:10:00 DefMemPerCPU=500 State=UP
"""
SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={ports[2]}
SlurmUser={user}
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports[3]}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct
PidFile={folder}/run/slurmdbd.own
LogFile={folder}/log/slurmdbd.log
"""
SQL = """\
CREATE DATABASE IF NOT EXISTS slurm_acct;
CREATE USER IF NOT EXISTS 'slurm'@'127.0.0.1' IDENTIFIED BY 'slurm';
CREATE USER IF NOT EXISTS 'slurm'@'localhost' IDENTIFIED BY 'slurm';
GRANT ALL ON slurm_acct.* TO 'slurm'@'127.0.0.1';
GRANT ALL ON slurm_acct.* TO 'slurm'@'localhost';
"""


def missing() -> list[str]:
    """Programs that a cluster needs and that are not installed."""
    return [name for name in PROGRAMS if not shutil.which(name, path=_path())]


def install() -> None:
    """Install what is missing with Debian's apt; say so first."""
    if not (gone := missing()):
        return
    if not shutil.which("apt-get"):
        raise SystemExit(
            f"not installed: {', '.join(gone)}; this machine has no apt: install SLURM, munge and MariaDB by hand"
        )
    print(f"not installed: {', '.join(gone)}; installing from Debian: {PACKAGES}", flush=True)
    root = [] if os.getuid() == 0 else ["sudo"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*root, "apt-get", "update", "-qq"], check=True)
    command = [
        *root,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
    ]
    subprocess.run([*command, *PACKAGES.split()], check=True, stdout=subprocess.DEVNULL, env=quiet)


class Cluster:
    """The cluster of one folder."""

    def __init__(self, folder: Path, min_job_age: int = 300):
        self.folder, self.min_job_age = Path(folder).resolve(), min_job_age
        self.user = subprocess.check_output(["id", "-un"], text=True).strip()
        self.children: dict[str, subprocess.Popen] = {}
        longest = len(str(self.folder / "run" / "mariadb.sock"))
        if longest > SOCKET_PATH - 10:
            raise SystemExit(
                f"{self.folder}: the path is too long for Unix sockets ({longest} bytes); take a shorter folder"
            )

    # ---- what others need ----

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to talk to this cluster."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": _path()}

    def ask(self, *command: str, check: bool = True) -> str:
        """What a SLURM command prints."""
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=60
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def until_gone(self, job: str) -> None:
        """Wait until a job is out of the queue."""
        self._until(f"the end of job {job}", lambda: job not in self.ask("squeue", "-ho", "%i").split())

    # ---- up ----

    def up(self) -> None:
        """Start what is not running."""
        if not (self.folder / MARK).exists():
            self._write()
        self._start("munged", "munged", "--foreground", "--force", f"--key-file={self.folder}/munge/key", "--num-threads=2",
                    f"--socket={self.folder}/run/munge.socket", f"--pid-file={self.folder}/run/munged.own",
                    f"--log-file={self.folder}/log/munged.log", f"--seed-file={self.folder}/munge/seed")  # fmt: skip
        self._database()
        self._start("slurmdbd", "slurmdbd", "-D")
        self._wait("slurmdbd", "sacctmgr", "-n", "list", "cluster")
        if "tests" not in self.ask("sacctmgr", "-n", "list", "cluster", "format=cluster"):
            self.ask("sacctmgr", "-i", "-Q", "add", "cluster", "tests")
            self.ask("sacctmgr", "-i", "-Q", "add", "account", "lab", "Cluster=tests")
            self.ask("sacctmgr", "-i", "-Q", "add", "user", self.user, "Account=lab", "DefaultAccount=lab")
        self._start("slurmctld", "slurmctld", "-D")
        self._wait("slurmctld", "scontrol", "ping")
        for node in NODES:
            self.start_node(node)
        self.wait_for_nodes()

    def start_node(self, node: str) -> None:
        """Start the slurmd of a node."""
        (self.folder / "spool" / node).mkdir(exist_ok=True)
        self._start(f"slurmd.{node}", "slurmd", "-D", "-N", node)

    def wait_for_nodes(self) -> None:
        """Wait until every node takes jobs."""
        self._until("the nodes", lambda: not set(self.ask("sinfo", "-hNo", "%t").split()) - {"idle", "mix", "alloc"})

    def _write(self) -> None:
        """Folders, keys and configuration."""
        if self.folder.exists() and any(self.folder.iterdir()):
            raise SystemExit(f"{self.folder} is not empty and no cluster of tests; name a new folder")
        for name in ("run", "log", "state", "spool", "dev", "munge", "db"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name in ("munge", "db", "state"):
            (self.folder / name).chmod(0o700)
        for name in (".", "run", "log"):
            (self.folder / name).chmod(0o755)
        _private(self.folder / "munge" / "key", os.urandom(128))
        ports = _free_ports(4 + len(NODES))
        values = {
            "host": socket.gethostname().partition(".")[0],
            "user": self.user,
            "folder": self.folder,
            "ports": ports,
        }
        lines, gres = [], []
        for (node, gpus), port in zip(NODES.items(), ports[4:], strict=True):
            line = f"NodeName={node} NodeHostname={values['host']} NodeAddr=127.0.0.1 Port={port} CPUs={CPUS} RealMemory={MEMORY}"
            lines.append(line + (f" Gres=gpu:fake:{gpus}" if gpus else "") + " State=UNKNOWN")
            for k in range(gpus):
                (self.folder / "dev" / f"{node}_{k}").symlink_to(os.devnull)
            if gpus:  # the flag makes SLURM export CUDA_VISIBLE_DEVICES
                device = f"{self.folder}/dev/{node}_[0-{gpus - 1}]"
                gres.append(f"NodeName={node} Name=gpu Type=fake File={device} Flags=nvidia_gpu_env\n")
        kinds = {kind: ",".join(node for node in NODES if node.startswith(kind)) for kind in ("cpu", "gpu")}
        conf = SLURM_CONF.format(nodes="\n".join(lines), min_job_age=self.min_job_age, **kinds, **values)
        (self.folder / "slurm.conf").write_text(conf)
        (self.folder / "gres.conf").write_text("".join(gres))
        (self.folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
        _private(self.folder / "slurmdbd.conf", SLURMDBD_CONF.format(**values).encode())
        (self.folder / "db.port").write_text(str(ports[3]))
        (self.folder / MARK).touch()  # the last file: "down" removes only a folder that carries it

    def _database(self) -> None:
        data, sock, port = (
            self.folder / "db",
            self.folder / "run" / "mariadb.sock",
            (self.folder / "db.port").read_text(),
        )
        if not (data / "mysql").is_dir():
            command = [
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={data}",
                f"--user={self.user}",
                "--skip-test-db",
            ]
            with (self.folder / "log" / "mariadb-install.log").open("w") as log:
                method = "--auth-root-authentication-method=normal"
                subprocess.run(
                    [*command, method], stdout=log, stderr=log, check=True, env={**os.environ, "PATH": _path()}
                )
        self._start("mariadb", "mariadbd", "--no-defaults", f"--datadir={data}", f"--user={self.user}", f"--port={port}",
                    "--bind-address=127.0.0.1", f"--socket={sock}", f"--pid-file={self.folder}/run/mariadb.own",
                    "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=64M", "--innodb-lock-wait-timeout=900",
                    "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--performance-schema=OFF")  # fmt: skip
        self._wait("mariadb", "mariadb-admin", "--no-defaults", f"--socket={sock}", "-u", "root", "ping")
        self.ask("mariadb", "--no-defaults", f"--socket={sock}", "-u", "root", "-e", SQL)

    def _start(self, name: str, *command: str) -> None:
        """Start a daemon in a session of its own and record its pid, unless it is running."""
        pid = self._pid(name)
        if pid and _running(pid):
            return
        with (self.folder / "log" / f"{name}.out").open("a") as log:
            environment = {**os.environ, **self.environment}
            started = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
            )
        self.children[name] = started
        (self.folder / "run" / f"{name}.pid").write_text(str(started.pid))

    def _wait(self, what: str, *command: str) -> None:
        self._until(what, lambda: self.ask(*command) is not None)

    def _until(self, what: str, true, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                if true():
                    return
            except RuntimeError:
                pass
            if time.monotonic() > deadline:
                raise SystemExit(f"the cluster of tests: {what} did not come in {seconds:.0f} s; see {self.folder}/log")
            time.sleep(0.05)

    # ---- down ----

    def stop_daemons(self) -> None:
        """Stop what answers squeue and sacct, as for maintenance; jobs and nodes go on, ``up`` starts it again."""
        self._stop(["slurmctld", "slurmdbd"])

    def kill_node(self, node: str) -> None:
        """Kill the slurmd of a node and all that runs on it, as a power cut would: nothing is left that could tell of it."""
        name = f"SLURMD_NODENAME={node}".encode()
        tasks = [pid for pid in self._ours() if name in _read(pid, "environ")]
        stewards = {up for pid in tasks for up in _ancestors(pid) if b"slurmstepd" in _read(up, "cmdline")}
        for pid in stewards:
            _kill(pid, signal.SIGKILL)
        self._stop([f"slurmd.{node}"], signal.SIGKILL)
        for pid in tasks:
            _kill(pid, signal.SIGKILL)

    def down(self) -> None:
        """Stop everything that was started here, and remove the folder."""
        if not (self.folder / MARK).exists():
            return
        if (pid := self._pid("slurmctld")) and _running(pid):
            self.ask("scancel", "--full", "-Q", f"--user={self.user}", check=False)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and self.ask("squeue", "-h", check=False):
                time.sleep(0.05)
        names = [path.stem for path in (self.folder / "run").glob("*.pid")]
        last = ["slurmdbd", "mariadb", "munged"]
        self._stop([n for n in names if n == "slurmctld"])  # first: it would wait for nodes that are gone
        self._stop([n for n in names if n.startswith("slurmd.")])
        for name in last:
            self._stop([name] if name in names else [])
        for pid in self._ours():  # what jobs have left
            _kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder)

    def _stop(self, names: list[str], how: signal.Signals = signal.SIGTERM) -> None:
        pids = {name: pid for name in names if (pid := self._pid(name))}
        for pid in pids.values():
            _kill(pid, how)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and any(map(_running, pids.values())):
            time.sleep(0.02)
        for name, pid in pids.items():
            if _running(pid):
                _kill(pid, signal.SIGKILL)
            if name in self.children:
                self.children.pop(name).wait()
            (self.folder / "run" / f"{name}.pid").unlink(missing_ok=True)

    def _pid(self, name: str) -> int | None:
        path = self.folder / "run" / f"{name}.pid"
        return int(path.read_text()) if path.exists() and path.read_text() else None

    def _ours(self) -> list[int]:
        """Processes whose command or environment names this folder's configuration, but not this process or its parents."""
        mark, spared = str(self.folder).encode(), {os.getpid(), *_ancestors(os.getpid())}
        found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [p for p in found if p not in spared and (mark in _read(p, "cmdline") or mark in _read(p, "environ"))]


def _ancestors(pid: int) -> list[int]:
    """Parent, its parent, and so on, without the first process of the machine."""
    above = []
    while lines := _read(pid, "status").decode().splitlines():
        pid = int(next(line for line in lines if line.startswith("PPid")).split()[1])
        if pid <= 1:
            break
        above.append(pid)
    return above


def _path() -> str:
    """The search path, with the folders where daemons lie."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def _private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


def _free_ports(n: int) -> list[int]:
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""


def _running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    return b"\nState:\tZ" not in (status := _read(pid, "status")) and bool(status)


def _kill(pid: int, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)


if __name__ == "__main__":
    if sys.argv[1:] == ["install"]:
        install()
        raise SystemExit
    if len(sys.argv) != 3 or sys.argv[1] not in ("up", "down"):
        raise SystemExit(__doc__)
    if gone := missing():
        raise SystemExit(f"not installed: {', '.join(gone)}; on Debian: apt install {PACKAGES}")
    cluster = Cluster(Path(sys.argv[2]))
    getattr(cluster, sys.argv[1])()
    if sys.argv[1] == "up":
        print(f"export SLURM_CONF={cluster.environment['SLURM_CONF']}")
