"""What each job of the workflow is: its function, what it is called with, and what its product states of that.

Rules ask here by the values of their wildcards; nothing here knows a path but those of objects.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache, partialmethod
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from urllib.parse import unquote

from ocnn.config.schema import Config
from ocnn.data.archives import digest
from ocnn.data.dataset import Dataset
from ocnn.data.names import sample_names
from ocnn.errors import ResultError
from ocnn.results.measurements import GATHERED, digest_of_all
from ocnn.steps.fingerprint import fingerprint
from ocnn.storage.files import safe_name
from ocnn.storage.recipes import READERS, digest_of, why_stale

#: Counts for every step: the runner, the threads and the environment.
RUNNER = "ocnn.steps.__main__:run"

_fingerprint = cache(fingerprint)


@dataclass(frozen=True)
class Job:
    """A job.

    function: `package.module:NAME` of the step.
    objects: paths of the objects that it is called with, by argument.
    settings: what else it is called with, by argument.
    stated: what decides its product beside its settings and its code.
    threads: CPU threads.
    arguments: for an object that a function makes, whose path `objects` has, what that is called with; what decides a
        product of it is stated.
    """

    function: str
    objects: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    stated: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The fingerprint of all code that decides the product."""
        return _fingerprint(RUNNER, self.function, *sorted(self.objects.values()))

    @property
    def decided(self) -> str:
        """A digest of all that decides the product, files apart; see `Jobs`."""
        content = json.dumps([self.function, self.code, self.settings, self.stated], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def text(self, **places: str) -> str:
        """Write the job as JSON, for the command line; `places` are paths and patterns that it is called with."""
        content = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps({**content, "places": places, "code": self.code}, sort_keys=True)

    def why_stale(
        self, path: Path, digest: Callable[[Path], str | None] = digest_of, gathered: Sequence[Path] = ()
    ) -> str | None:
        """Say why a product that is there is not this job's, or None.

        Args:
            path: of the product.
            digest: of an input.
            gathered: the files of which the product states one digest; if any is missing or damaged, it is made again,
                and then this product is.
        """
        reason = why_stale(path, self.code, {**self.settings, **self.stated}, digest)
        if reason or not gathered or not all(source.is_file() for source in gathered):
            return reason
        try:
            same = (READERS[path.suffix](path)[0] or {}).get(GATHERED) == digest_of_all(gathered, digest)
        except ResultError:
            return None
        return None if same else "was made from other scores"


class Jobs:
    """The jobs of a configuration, by rule; the arguments are the wildcards, texts as Snakemake has them.

    What decides the products that a job reads is stated as `sources`, as theirs is in turn. So a product is known to be
    old where what was made on the way to it is not there any more.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._settings = cache(config.settings)
        self._uses_autoencoder = cache(config.uses_autoencoder)
        self._named = cache(self._what_names)
        self._plan = config.plan()
        self._plan_json = self._plan.to_json()
        self._decided = cache(lambda rule, *wildcards: getattr(self, rule)(*wildcards).decided)

    def archive(self, dataset: str, archive: str) -> Job:
        """Obtain an archive of the data set `dataset`, a name in the configuration."""
        return self._with_source(Job("ocnn.steps.archive:obtain_archive", settings={"name": archive}), dataset)

    def _arrays(self, function: str, dataset: str) -> Job:
        """A job that writes the arrays of a data set from its archives."""
        return self._with_source(Job(function, stated=describe(self.config.source(dataset))), dataset)

    images = partialmethod(_arrays, "ocnn.steps.images:prepare_images")
    pixels = partialmethod(_arrays, "ocnn.steps.images:prepare_pixels")

    def adversarial_images(self, experiment: str) -> Job:
        """Write the arrays of an experiment on an attack."""
        attacked = self.config.attacked(experiment)
        dataset = self.config.attacks[str(self.config.experiments[experiment].attack)].dataset
        stated = describe(self.config.source(dataset))
        job = Job("ocnn.steps.images:prepare_adversarial_images", settings={"attacked": attacked}, stated=stated)
        block = self.config.experiments[experiment]
        return self._with_source(self._from(job, attack=("attack", str(block.attack), str(block.steps))), dataset)

    def classifier(self, attack: str) -> Job:
        """Train the classifier of an attack."""
        block = self.config.attacks[attack]
        settings, stated = block.classifier.model_dump(mode="json"), describe(self.config.source(block.dataset))
        job = self._network_job("ocnn.steps.classifier:fit_classifier", {}, settings, stated)
        return self._with_source(self._from(job, arrays=("pixels", block.dataset)), block.dataset)

    def attack(self, attack: str, steps: str) -> Job:
        """Attack images up to a number of steps."""
        job = self._attack_job("attack_images", attack, "images", "seed", steps=int(steps))
        previous = self.config.previous_steps(attack, int(steps))
        before = {} if previous is None else {"previous": ("attack", attack, str(previous))}
        return self._from(job, classifier=("classifier", attack), **before)

    def verify(self, attack: str, steps: str) -> Job:
        """Verify an attack of so many steps."""
        return self._from(self._attack_job("verify_attack", attack), attack=("attack", attack, steps))

    def split(self, experiment: str, normal: str, seed: str) -> Job:
        """Draw a split."""
        block, dataset = self.config.experiments[experiment], self.config.dataset(experiment)
        settings = {
            "dataset": dataset.name,
            "classes": list(dataset.classes),
            "scaling": self.config.scaling(experiment),
            "encoded": dataset.encoded,
            "normal": unquote(normal),
            "contamination": self.config.drawn_contamination(experiment),
            "holdout": block.holdout,
            "training_set": block.training_set.model_dump(),
            "seed": int(seed),
        }
        job = Job("ocnn.steps.split:make_split", settings=settings)
        if block.attack is not None:
            return self._from(job, arrays=("adversarial_images", experiment))
        return self._from(job, arrays=(self.config.arrays_folder(experiment), str(block.dataset)))

    def autoencoder(self, experiment: str, normal: str, seed: str) -> Job:
        """Train the autoencoder of a split."""
        settings = {"settings": self.config.autoencoder_settings(experiment, int(seed))}
        job = self._network_job("ocnn.steps.pretrain:pretrain", {}, settings, {})
        return self._from(job, split=("split", experiment, normal, seed))

    def fit(self, experiment: str, normal: str, method: str, seed: str) -> Job:
        """Fit a method to a split."""
        identity = {"experiment": experiment, "normal": unquote(normal), "method": method, "seed": int(seed)}
        settings = {"settings": self._settings(experiment, method, int(seed)), "identity": identity}
        objects = {"estimator": self.config.estimator(method)}
        if self.config.on_codes(method):
            objects["encoder"] = "ocnn.methods.dcae:DCAE"
            settings["encoder_settings"] = {"network": self.config.experiments[experiment].network}
        if self.config.is_wrapped(method):
            objects["wrapper"] = "ocnn.methods.wrapped:WrappedDetector"
            settings["wrapper_settings"] = self.config.wrapper_settings(method, int(seed))
        threads, function = self.config.threads, "ocnn.steps.fit:fit_method"
        if self.config.needs_network(method):
            job = self._network_job(function, objects, settings, {})
        else:
            job = Job(function, objects, settings, {"threads": threads}, threads=threads)
        if named := named_files(settings["settings"]):
            job = replace(job, stated={**job.stated, "files": named})
        of_split = (experiment, normal, seed)
        shared = {"autoencoder": ("autoencoder", *of_split)} if self._uses_autoencoder(experiment, method) else {}
        return self._from(job, split=("split", *of_split), **shared)

    def _from(self, job: Job, **sources: tuple[str, ...]) -> Job:
        """The job, which states what decides the products that it reads: by role, a rule and its wildcards."""
        decided = {role: self._decided(*source) for role, source in sources.items()}
        return replace(job, stated={**job.stated, "sources": decided})

    def _shown(self, function: str, **settings: Any) -> Job:
        """A job that reads results and is told the plan."""
        job = Job(function, settings={"plan": self._plan_json, **settings})
        return self._from(job, fits=("_fits",))

    def _fits(self) -> Job:
        """No job, but what decides the score files of all fits."""
        fits = [(fit.experiment, safe_name(fit.normal), fit.method, str(fit.seed)) for fit in self._plan.fits()]
        return Job("ocnn.steps.fit:fit_method", stated={"fits": [self._decided("fit", *fit) for fit in fits]})

    metrics = partialmethod(_shown, "ocnn.steps.metrics:collect_metrics")
    consistency = partialmethod(_shown, "ocnn.steps.metrics:make_consistency")
    summary = partialmethod(_shown, "ocnn.steps.metrics:make_summary")
    tables = partialmethod(_shown, "ocnn.steps.tables:make_tables")
    comparison_figures = partialmethod(_shown, "ocnn.steps.figures:draw_comparisons")
    sample_figures = partialmethod(_shown, "ocnn.steps.figures:draw_samples")

    def most_anomalous(self, experiment: str) -> Job:
        """Order the samples of an experiment without labels."""
        dataset = str(self.config.experiments[experiment].dataset)
        path, (_, arguments) = self.config.names_path(dataset), self.config.source_path(dataset)
        assert arguments is not None
        names = hashlib.sha256(json.dumps(resolve_name(path)(**arguments)).encode()).hexdigest()
        job = self._of_fits("ocnn.steps.own_data:rank_most_anomalous", experiment, {"names": names})
        return replace(job, objects={"names": path}, arguments={"names": arguments})

    def anomaly_classes(self, experiment: str) -> Job:
        """Measure each class of anomalies of an experiment."""
        return self._of_fits("ocnn.steps.own_data:measure_anomaly_classes", experiment, {})

    def _what_names(self, dataset: str) -> str:
        """A digest of what decides the names of the samples of data of the user's own, beside the content of its files.

        That of a table, whose rows are numbered, is its name; so planning does not read it for this.
        """
        _, arguments = self.config.source_path(dataset)
        assert arguments is not None
        if "folder" in arguments:
            names: Any = sample_names(**{dataset: arguments})
        else:
            names = [Path(arguments[key]).name for key in ("file", "test_file") if arguments.get(key)]
        return hashlib.sha256(json.dumps(names).encode()).hexdigest()

    def _of_fits(self, function: str, experiment: str, stated: Mapping[str, Any]) -> Job:
        """A job that reads the score files of one experiment."""
        fits = [fit for fit in self._plan.fits() if fit.experiment == experiment]
        names = [(experiment, safe_name(fit.normal), fit.method, str(fit.seed)) for fit in fits]
        sources = {"/".join(fit): ("fit", *fit) for fit in names}
        return self._from(Job(function, settings={"fits": [vars(fit) for fit in fits]}, stated=stated), **sources)

    def attack_images(self, attack: str, steps: str) -> Job:
        """Draw an attack's images."""
        job = Job("ocnn.steps.figures:draw_adversarial_images")
        return self._from(job, attack=("attack", attack, steps), verified=("verify", attack, steps))

    def report(self) -> Job:
        """Write the report."""
        configuration = self.config.model_dump(mode="json", exclude_defaults=True)
        job = self._shown("ocnn.steps.report:make_report", configuration=configuration)
        own = {
            name: str(block.dataset)
            for name, block in self.config.experiments.items()
            if block.dataset in self.config.datasets
        }
        if not own:
            return job
        arguments = {name: self.config.source_path(dataset)[1] for name, dataset in own.items()}
        return replace(
            job,
            objects={"names": "ocnn.data.names:sample_names"},
            arguments={"names": arguments},
            stated={**job.stated, "names": {name: self._named(dataset) for name, dataset in own.items()}},
        )

    def _with_source(self, job: Job, dataset: str) -> Job:
        """The job, which is also given a data set, by its name in the configuration."""
        path, arguments = self.config.source_path(dataset)
        # Scaling is the splits'; here Snakemake would take its change for one of the arrays.
        told = {key: value for key, value in (arguments or {}).items() if key != "scaling"}
        made = {} if arguments is None else {"source": told}
        return replace(job, objects={**job.objects, "source": path}, arguments={**job.arguments, **made})

    def _attack_job(self, function: str, attack: str, *names: str, **settings: Any) -> Job:
        block = self.config.attacks[attack]
        shared = {"attacked_class": str(block.attacked_class), "widths": list(block.classifier.widths)}
        own = {name: getattr(block, name) for name in names}
        job = self._network_job(f"ocnn.steps.attacks:{function}", {}, {**shared, **own, **settings}, {})
        return self._with_source(job, block.dataset)

    def _network_job(
        self, function: str, objects: Mapping[str, str], settings: Mapping[str, Any], stated: Mapping[str, Any]
    ) -> Job:
        """A job whose numbers depend on the threads and on Keras's backend."""
        threads = self.config.threads
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        return Job(function, objects, settings, {**stated, "threads": threads, "backend": backend}, threads=threads)


def describe(dataset: Dataset) -> dict[str, Any]:
    """Describe what decides a data set's arrays beside the code of its reader."""
    return {
        "dataset": dataset.name,
        "classes": list(dataset.classes),
        "images": dataset.images,
        "has_test": dataset.has_test,
        "archives": {archive.name: archive.checksum for archive in dataset.archives},
        # Their content decides, not where they are.
        "files": [_content(Path(path)) for path in dataset.files],
        **({"settings": dict(dataset.settings)} if dataset.settings else {}),
    }


def named_files(settings: Any) -> dict[str, str]:
    """Find the files, from the working directory, that texts in settings name; return the digests of their contents.

    A name has a suffix, as those that texts in a user's own module name (`ocnn.steps.fingerprint`).
    """
    if isinstance(settings, Mapping | list | tuple):
        items = settings.values() if isinstance(settings, Mapping) else settings
        return {name: content for item in items for name, content in named_files(item).items()}
    if isinstance(settings, str) and "." in settings[1:] and os.path.isfile(settings):  # noqa: PTH113  (of any text)
        return {settings: _content(Path(settings))}
    return {}


@cache
def _content(path: Path) -> str:
    """The digest of a user's own file: of its bytes, as it states none, whatever its suffix and what lies beside it."""
    try:
        return digest(path)
    except OSError:
        return "missing"
