# The server that the jobs of a run on this machine are forked from, with what they import: docs/decisions/forks.md.
import subprocess
import tempfile

import psutil
import snakemake.benchmark

from ocnn.steps.forked import SERVER, SOCKET

needs_network = cache(CONFIG.needs_network)
#: The rules whose jobs there may be many of.
FORKED = ("split", "autoencoder", "fit")
#: Jobs from which on a server is worth its own imports; the first ones do not wait for it.
FEWEST = 8

# That of another run is none of ours.
os.environ.pop(SERVER, None)


class WithForked(psutil.Process):
    """A process, its children, and the processes that are forked for these, which are children of the server."""

    def children(self, recursive=False):
        found = super().children(recursive)
        for child in list(found):
            try:
                forked = psutil.Process(int((FORKS.folder / str(child.pid)).read_text()))
                found += [forked, *forked.children(recursive)]
            except (OSError, ValueError, psutil.Error):
                continue
        return found


class Timer(snakemake.benchmark.BenchmarkTimer):
    """Snakemake's measure of time and memory, of forked processes, too."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.main = WithForked(self.pid)


class Forks:
    """The server, while there is one."""

    folder = server = None

    def worth_it(self):
        """The jobs to come that would be forked, and those of them with networks, if they may be and are many enough."""
        method = workflow.deployment_settings.deployment_method
        if AS_MODULE or workflow.non_local_exec or method or not hasattr(os, "pidfd_open"):
            return [], []
        if os.environ.get("OCNN_FORK") == "0":
            return [], []
        jobs = [job for job in workflow.dag.needrun_jobs() if job.rule.name in FORKED]
        return jobs, [job for job in jobs if job.rule.name == "autoencoder" or self.has_network(job)]

    @staticmethod
    def has_network(job):
        """Whether the job of a fit imports Keras."""
        return job.rule.name == "fit" and needs_network(job.wildcards.method)

    def start(self):
        """Start the server; until it is ready, and if it never is, jobs run by themselves."""
        jobs, with_networks = self.worth_it()
        if len(jobs) < FEWEST:
            return
        # JAX starts threads when it is imported, and of GPUs this was not tried.
        plain = os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow" and not CONFIG.gpus
        networks = ["networks"] if plain and len(with_networks) >= FEWEST else []
        try:
            self.place = tempfile.TemporaryDirectory(prefix="ocnn-", ignore_cleanup_errors=True)
            self.folder = Path(self.place.name)
            log = Path(RESULTS, "logs", "fork_server.log")
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("wb") as output:
                self.server = subprocess.Popen(
                    ["python", "-m", "ocnn.steps.fork_server", str(self.folder), str(CONFIG.threads), *networks],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                )
        except OSError:
            return
        snakemake.benchmark.BenchmarkTimer = Timer
        os.environ[SERVER] = str(self.folder / SOCKET)

    def stop(self):
        """End the server, of which no job wants anything more; by itself it ends when this process has ended."""
        if self.server is None:
            return
        self.server.stdin.close()
        try:
            # One that is still importing has forked nothing.
            self.server.wait(10 if (self.folder / SOCKET).exists() else 0)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()


FORKS = Forks()
