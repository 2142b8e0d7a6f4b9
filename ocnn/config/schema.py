"""The configuration of the benchmark: its keys, types, defaults and meaning, and what the workflow asks of them.

`ocnn.config.checks.load` turns the mapping that Snakemake read into a `Config`. The descriptions here are the only
ones: `python -m ocnn.config` writes the reference page, the JSON schemas and the commented configuration from them.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import ConfigDict, Field

from ocnn.config.own_data import ImageFolder, OwnData
from ocnn.config.plan import Plan, PlannedAttack, PlannedExperiment, PlannedMethod, PublishedFiles, Reference
from ocnn.config.sections import NAMED, SHARED_SETTINGS, Attack, Experiment, Method, Published, Resources, Verdicts
from ocnn.config.values import (
    Count,
    Folder,
    Names,
    PathText,
    Section,
    Seeds,
    Whole,
)
from ocnn.data import DATASETS, load_dataset
from ocnn.data.adversarial import adversarial_dataset
from ocnn.data.dataset import Dataset
from ocnn.data.folders import folder_dataset
from ocnn.data.preprocessing import PIXELS
from ocnn.data.tables import table_dataset
from ocnn.methods import METHODS, load_estimator
from ocnn.methods.base import AnomalyDetector
from ocnn.methods.wrapped import parameters_of, usual_settings
from ocnn.storage.files import safe_name


class Config(Section):
    """The whole configuration."""

    model_config = ConfigDict(title="Configuration of ocnn", json_schema_extra={"required": ["methods", "experiments"]})

    results: Folder = "results"
    """folder of everything that is made, from where the command is given"""
    archives: Folder = "resources"
    """folder of downloaded archives"""
    mirror: PathText | None = None
    """folder to take archives from instead of downloading them; the environment variable `OCNN_MIRROR` overrides it"""
    seeds: Seeds = 1
    """how many seeds (0, 1, …), or a list of them, for experiments that do not say"""
    threads: Annotated[Count, Field(le=1024)] = 1
    """CPU threads of a fit; several jobs of one thread each are the better use of cores"""
    gpus: Annotated[Whole, Field(ge=0, le=1024)] = 0
    """GPUs that a job with a network asks a SLURM cluster for; TensorFlow or JAX with CUDA must be installed for it"""
    methods: Annotated[dict[str, Method], Field(json_schema_extra={**NAMED, "minProperties": 1})] = {}
    """rows of the tables, at least one: name → settings of its estimator"""
    datasets: dict[str, OwnData] = {}
    """data sets of your own by name, a free text: tables, or with the key `folder` pictures"""
    attacks: Annotated[dict[str, Attack], Field(json_schema_extra=NAMED)] = {}
    """boundary attacks by name"""
    experiments: Annotated[dict[str, Experiment], Field(json_schema_extra={**NAMED, "minProperties": 1})] = {}
    """experiments by name, at least one"""
    run: Names = "all"
    """names of the experiments to run, or `all`; the others are checked and left out"""
    published: Published = Published()
    """files of published results"""
    references: Annotated[dict[str, PathText], Field(json_schema_extra=NAMED)] = {}
    """AUCs of other labs: name → CSV file in the columns of `published/table3.csv`; each adds a line to Tables 3 and
    4"""
    verdicts: Verdicts = Verdicts()
    """the rule by which a published cell holds"""
    compare: Annotated[PathText, Field(examples=["before/metrics.parquet"])] | None = None
    """`metrics.parquet` of another run, of this version or one that measures the same: the report says cell by cell
    what differs from it, what is new or gone, and whether the verdicts hold"""

    def dataset(self, experiment: str) -> Dataset:
        """The data set of an experiment."""
        block = self.experiments[experiment]
        if block.attack is None:
            return self.source(str(block.dataset))
        return adversarial_dataset(self.source(self.attacks[block.attack].dataset), **self.attacked(experiment))

    def arrays_folder(self, experiment: str) -> str:
        """The folder of results with an experiment's arrays: `images` as they are fitted, or `pixels` in [0, 1]."""
        return "pixels" if self.experiments[experiment].pixels == "scaled" else "images"

    def scaling(self, experiment: str) -> str:
        """How an experiment's samples are scaled by its splits, see `scaling_constants`."""
        dataset = self.dataset(experiment)
        if not dataset.images:
            return dataset.scaling
        return "none" if self.experiments[experiment].pixels == "scaled" else PIXELS

    def attacked(self, experiment: str) -> dict[str, Any]:
        """For an experiment on an attack the arguments of `adversarial_dataset` beside the attacked data set."""
        block = self.experiments[experiment]
        attack = self.attacks[str(block.attack)]
        return {
            "attacked_class": attack.attacked_class,
            "name": f"{block.attack}-{block.steps}-{'heldout' if block.held_out else 'all'}",
            "held_out": block.held_out,
            "images": attack.images,
        }

    def source(self, dataset: str) -> Dataset:
        """The data set of a name: of one in `datasets`, a registered one, or a path.

        Raises:
            DataError: its table or folder cannot be used.
        """
        _, arguments = self.source_path(dataset)
        if arguments is None:
            return load_dataset(dataset)
        return (folder_dataset if self._is_folder(dataset) else table_dataset)(**arguments)

    def source_path(self, dataset: str) -> tuple[str, dict[str, Any] | None]:
        """Where a data set is defined, `package.module:OBJECT`, and what that is called with if it is a function."""
        if dataset in self.datasets:
            block = self.datasets[dataset].model_dump(mode="json", exclude_none=True)
            function = "folders:folder_dataset" if self._is_folder(dataset) else "tables:table_dataset"
            return f"ocnn.data.{function}", {"name": dataset, **block}
        return DATASETS.get(dataset, dataset), None

    def names_path(self, dataset: str) -> str:
        """Where the names of the samples of data of your own come from: what `source_path` has it is called with."""
        return f"ocnn.data.{'folders:picture_names' if self._is_folder(dataset) else 'tables:row_names'}"

    def _is_folder(self, dataset: str) -> bool:
        return isinstance(self.datasets.get(dataset), ImageFolder)

    def labelled(self, experiment: str) -> bool:
        """Whether it is known of an experiment's samples which are anomalies: else nothing is measured."""
        dataset = self.experiments[experiment].dataset
        return dataset not in self.datasets or self.datasets[dataset].normal != "none"

    def drawn_contamination(self, experiment: str) -> float:
        """The share of anomalies that is drawn into an experiment's training sets: none where nobody knows them."""
        return self.experiments[experiment].share if self.labelled(experiment) else 0.0

    def previous_steps(self, attack: str, steps: int) -> int | None:
        """The steps of the attack that one of so many steps goes on with; None for the first."""
        segment = self.attacks[attack].segment
        return None if steps == 0 else (steps - 1) // segment * segment

    def mirror_folder(self) -> Path | None:
        """The mirror: OCNN_MIRROR if it is set, else the configured one."""
        folder = os.environ.get("OCNN_MIRROR") or self.mirror
        return Path(folder).expanduser() if folder else None

    def normal_classes(self, experiment: str) -> list[str]:
        """The normal classes of an experiment, in order."""
        chosen = self.experiments[experiment].normal_classes
        return list(self.dataset(experiment).normal_classes) if chosen == "all" else chosen

    def seeds_of(self, experiment: str) -> list[int]:
        """The seeds of an experiment."""
        own = self.experiments[experiment].seeds
        seeds = self.seeds if own is None else own
        return list(range(seeds)) if isinstance(seeds, int) else seeds

    def methods_of(self, experiment: str) -> list[str]:
        """The methods of an experiment, in the order of the tables."""
        chosen = self.experiments[experiment].methods
        return list(self.methods) if chosen == "all" else chosen

    def estimator(self, method: str) -> str:
        """Where the estimator of a method stands, `package.module:Class`."""
        name = self.methods[method].estimator or method
        return METHODS.get(name, name)

    def published_methods(self) -> dict[str, str]:
        """For each row of the tables the method in the published tables to compare with."""
        return {method: block.published or method for method, block in self.methods.items()}

    def settings(self, experiment: str, method: str, seed: int) -> dict[str, Any]:
        """The estimator's parameters: the experiment's, then the method's, then the experiment's for the method."""
        shared = self.shared_settings(experiment, seed)
        estimator = load_estimator(self.estimator(method))
        declared = dict(shared_parameters(estimator))
        # Without labels the experiment's share serves the thresholds alone, and so those of all methods.
        if not self.labelled(experiment) and shared["contamination"] and "contamination" in parameters_of(estimator)[0]:
            declared["contamination"] = "contamination"
        return {
            **(usual_settings(estimator) if self.is_wrapped(method) else {}),
            **{parameter: shared[name] for parameter, name in declared.items() if name in shared},
            **self.methods[method].settings,
            **self.experiments[experiment].settings.get(method, {}),
        }

    def is_wrapped(self, method: str) -> bool:
        """Whether the estimator of a method is another package's, see `WrappedDetector`."""
        return not issubclass(load_estimator(self.estimator(method)), AnomalyDetector)

    def wrapper_settings(self, method: str, seed: int) -> dict[str, Any]:
        """The parameters of the `WrappedDetector` around the estimator of a method, the detector apart."""
        block = self.methods[method]
        return {"higher_scores": block.higher_scores, "images": block.images, "random_state": seed}

    def resources(self, method: str) -> dict[str, int]:
        """What a fit of a method asks a cluster for: `gpus`, `minutes`, `memory` (MB)."""
        network = self.trains_network(method)
        usual = {"gpus": self.gpus if network else 0, "minutes": 360 if network else 60, "memory": 4000}
        return {**usual, **self.methods[method].resources.model_dump(exclude_none=True)}

    def is_short(self, method: str) -> bool:
        """Whether a fit of a method takes so little that a cluster does several in one submission."""
        return not self.needs_network(method) and self.methods[method].resources == Resources()

    def shared_settings(self, experiment: str, seed: int) -> dict[str, Any]:
        """What a method may take from its experiment, by the names that `shared_settings` of an estimator uses.

        What the experiment does not say is left out: then each method has its own default.
        """
        values = {name: value(self.experiments[experiment], seed) for name, value in SHARED_SETTINGS.items()}
        return {name: value for name, value in values.items() if value is not None}

    def autoencoder_settings(self, experiment: str, seed: int) -> dict[str, Any]:
        """The parameters of the shared autoencoder."""
        shared = self.shared_settings(experiment, seed)
        declared = shared_parameters(load_estimator("dcae"))
        return {parameter: shared[name] for parameter, name in declared.items() if name in shared}

    def uses_autoencoder(self, experiment: str, method: str) -> bool:
        """Whether a method of an experiment starts from the shared autoencoder, or works on its codes.

        One with the file of another, its setting `autoencoder`, starts from that.
        """
        if self.on_codes(method):
            return True
        estimator = load_estimator(self.estimator(method))
        if not getattr(estimator, "uses_autoencoder", False):
            return False
        settings = self.settings(experiment, method, seed=0)
        network = settings.get("network")
        return (
            settings.get("autoencoder") is None
            and network == self.experiments[experiment].network
            and network != "none"
        )

    def on_codes(self, method: str) -> bool:
        """Whether a method works on the codes of the shared autoencoder."""
        return self.methods[method].input == "codes"

    def needs_network(self, method: str) -> bool:
        """Say whether fitting a method trains a network, or computes codes by one."""
        return self.on_codes(method) or self.trains_network(method)

    def trains_network(self, method: str) -> bool:
        """Say whether a method trains a network, which takes minutes to hours and may use a GPU."""
        return bool(getattr(load_estimator(self.estimator(method)), "trains_network", False))

    def plan(self) -> Plan:
        """What the tables, the figures and the report are to show."""
        experiments = []
        twins = {block.shuffled for block in self.experiments.values()}
        for name, block in self.experiments.items():
            dataset, labelled = self.dataset(name), self.labelled(name)
            attack = block.attack and PlannedAttack(block.attack, cast(int, block.steps), block.held_out)
            experiments.append(
                PlannedExperiment(
                    name,
                    tuple(self.normal_classes(name)),
                    tuple(self.methods_of(name)),
                    tuple(self.seeds_of(name)),
                    dataset=f"{self.arrays_folder(name)}/{safe_name(dataset.name)}",
                    images=dataset.images,
                    contaminated_and_tested=self.drawn_contamination(name) > 0 and dataset.has_test,
                    contamination=block.share,
                    family=block.family,
                    attack=attack or None,
                    published=block.published,
                    judged=block.published_evaluation(dataset.has_test) if block.judged else None,
                    remark=block.remark,
                    labelled=labelled,
                    anomaly_classes=block.anomaly_classes,
                    taken_apart=labelled and name not in twins and block.training_set.validation_split > 0,
                    shuffled=block.shuffled if block.shuffled in self.experiments else None,
                    trained=any(map(self.trains_network, self.methods_of(name))),
                )
            )
        return Plan(
            tuple(experiments),
            tuple(PlannedMethod(*names) for names in self.published_methods().items()),
            PublishedFiles(**{**dict(self.published), "auc": tuple(self.published.auc)}),
            tuple(Reference(*named) for named in self.references.items()),
            compare=self.compare,
            **dict(self.verdicts),
        )


def shared_parameters(estimator: Any) -> Mapping[str, str]:
    """The parameters of an estimator that its experiment sets: parameter → name of the shared setting.

    The estimator declares them as `shared_settings`; that `random_state` is the seed is scikit-learn's convention.
    """
    seeded = {"random_state": "seed"} if "random_state" in parameters_of(estimator)[0] else {}
    return {**seeded, **getattr(estimator, "shared_settings", {})}
