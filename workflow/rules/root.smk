# Where the workflow's own files are, whether it runs alone or as another's module, from a folder or from git.
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import HostingProviderFile, LocalGitFile, LocalSourceFile

#: What planning and jobs read there. Snakemake reads rules and captions itself, from git one by one.
PARTS = ("ocnn", "workflow", "config")


def root_of(rules):
    """The folder above that of the rules' folder; of a commit in git a copy of it on disk."""
    if isinstance(rules, LocalSourceFile):
        return Path(str(rules)).parent.parent
    if isinstance(rules, LocalGitFile):
        # Here alone: without a program `git` the import fails, and a run from a folder needs none.
        from git import Repo

        return copy_of(Repo(rules.repo_path).commit(rules.ref))
    if isinstance(rules, HostingProviderFile):
        return copy_of(rules.hosted_repo.repo.commit(rules.ref))
    raise WorkflowError(
        f"From {rules} Snakemake reads rules alone, and this workflow has a Python package beside them. Name its"
        " Snakefile by a path on this machine, or by `github`, `gitlab` or `gitfile`."
    )


def copy_of(commit):
    """A copy of a commit in the working directory, where the jobs of a cluster find it; it is made once."""
    folder = Path(".snakemake", "ocnn", commit.hexsha[:12]).absolute()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            made = Path(place, "made")
            for blob in commit.tree.traverse(lambda item, _: item.type == "blob" and Path(item.path).parts[0] in PARTS):
                path = made / blob.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(blob.data_stream.read())
            (made / "COMMIT").write_text(f"{commit.hexsha[:12]}\n")
            # Another process may have been faster.
            with suppress(OSError):
                made.rename(folder)
    return folder


ROOT = root_of(workflow.current_basedir)
sys.path.insert(0, str(ROOT))

try:
    import ocnn.config.checks
except ModuleNotFoundError as error:
    raise WorkflowError(
        f"Planning needs the Python package {error.name}, which is not there beside Snakemake in {sys.prefix}. Install"
        " what environment.yml or requirements.lock of this workflow's repository names."
    )
if not Path(ocnn.__file__).parent.samefile(ROOT / "ocnn"):
    raise WorkflowError(
        f"This workflow stands in {ROOT}, but Python has imported another `ocnn`, {ocnn.__file__}. One run of Snakemake"
        " takes one version of it."
    )
