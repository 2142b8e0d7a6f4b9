"""A real one-node SLURM cluster without systemd: slurmctld, slurmd and munge of Debian's packages, started as root."""

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
CONFIGURATION = Path("/etc/slurm/slurm.conf")
MARK = "# Written by ocnn's tests."


def missing() -> str | None:
    """Why no cluster can be started here, or None."""
    if os.geteuid() != 0:
        return "a SLURM cluster is started as root only"
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed (Debian: slurmctld slurmd slurm-client munge)"
    if CONFIGURATION.exists() and MARK not in CONFIGURATION.read_text():
        return f"{CONFIGURATION} belongs to another cluster"
    return None


class Cluster:
    """Starts the daemons with a configuration under `folder`; `stop` ends them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        host = socket.gethostname().split(".")[0]
        for name in ("state", "spool", "log"):
            (folder / name).mkdir(parents=True)
        subprocess.run(["mknod", folder / "nvidia0", "c", "1", "3"], check=True)
        lines = [
            MARK,
            "ClusterName=lab",
            f"SlurmctldHost={host}(127.0.0.1)",
            "SlurmUser=root",
            f"SlurmctldPidFile={folder}/slurmctld.pid",
            f"SlurmdPidFile={folder}/slurmd.pid",
            f"SlurmctldLogFile={folder}/log/slurmctld.log",
            f"SlurmdLogFile={folder}/log/slurmd.log",
            f"StateSaveLocation={folder}/state",
            f"SlurmdSpoolDir={folder}/spool",
            "MpiDefault=none",
            "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core_Memory",
            "AccountingStorageType=accounting_storage/none",
            "JobAcctGatherType=jobacct_gather/linux",
            "JobAcctGatherFrequency=1",
            "JobAcctGatherParams=OverMemoryKill",
            "SlurmdParameters=config_overrides",
            "EnforcePartLimits=ALL",
            "ReturnToService=2",
            "MinJobAge=3600",
            "KillWait=5",
            "GresTypes=gpu",
            f"NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=20000 Gres=gpu:1 State=UNKNOWN",
            "PartitionName=cpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
            "PartitionName=gpu Nodes=ALL MaxTime=INFINITE State=UP",
        ]
        if CONFIGURATION.exists():  # a killed run of these tests left it, and perhaps its daemons
            for daemon in ("slurmd", "slurmctld"):
                subprocess.run(["pkill", "-KILL", "-x", daemon], check=False)
        CONFIGURATION.parent.mkdir(parents=True, exist_ok=True)
        CONFIGURATION.write_text("\n".join(lines) + "\n")
        (CONFIGURATION.parent / "gres.conf").write_text(f"Name=gpu File={folder}/nvidia0 Flags=nvidia_gpu_env\n")
        subprocess.run(["install", "-d", "-o", "munge", "-g", "munge", "-m", "755", "/run/munge"], check=True)
        # A killed run may have left files of munge's that name no process.
        if subprocess.run(["pgrep", "-x", "munged"], stdout=subprocess.DEVNULL, check=False).returncode:
            subprocess.run(["su", "-s", "/bin/sh", "munge", "-c", "/usr/sbin/munged --force"], check=True)
        for daemon in ("slurmctld", "slurmd"):
            subprocess.run([daemon], check=True)
        try:
            self.wait_for_idle()
        except AssertionError:
            self.stop()
            raise

    def wait_for_idle(self, seconds: float = 60) -> None:
        """Waits until the node takes jobs."""
        end = time.monotonic() + seconds
        while self.ask("sinfo", "-h", "-o", "%T") not in ("idle", "mixed"):
            assert time.monotonic() < end, (self.folder / "log" / "slurmctld.log").read_text()[-3000:]
            time.sleep(0.5)

    def ask(self, *command: str) -> str:
        """The output of a command of SLURM's."""
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def jobs(self) -> list[dict[str, str]]:
        """Every job that the controller remembers: its fields."""
        blocks = self.ask("scontrol", "show", "jobs", "-o").splitlines()
        return [dict(re.findall(r"(\w[\w/:]*)=(\S*)", block)) for block in blocks if block.startswith("JobId=")]

    def show(self) -> None:
        """Prints one line per job."""
        fields = ("JobId", "JobState", "RunTime", "TimeLimit", "NumCPUs", "MinMemoryNode", "TresPerJob", "Comment")
        for job in self.jobs():
            print(*(job.get(field, "-") for field in fields))

    def stop(self) -> None:
        """Ends every job and the daemons, and takes the configuration away."""
        subprocess.run(["scancel", "--user=root"], check=False)
        for pid_file in (self.folder / "slurmd.pid", self.folder / "slurmctld.pid", Path("/run/munge/munged.pid")):
            if pid_file.exists():
                pid = pid_file.read_text().strip()
                subprocess.run(["kill", pid], check=False)
                end = time.monotonic() + 20
                while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
                    time.sleep(0.2)
        for path in (CONFIGURATION, CONFIGURATION.parent / "gres.conf"):
            path.unlink(missing_ok=True)
