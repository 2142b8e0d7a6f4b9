"""What a run is to show: the experiments, their fits, and the files of tables and figures, without importing a plot.

A plan travels to a job as JSON. There the order of experiments and methods, which is that of rows and columns, is the
order of lists, so that sorting keys changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from pydantic import TypeAdapter

from ocnn.results.scores import Fit

FIGURE_SUFFIXES = (".svg", ".png")
TABLE_SUFFIXES = (".csv", ".md", ".tex", ".html")
#: Data sets over which methods are ranked, at least.
FEWEST_DATASETS = 5


@dataclass(frozen=True)
class PlannedAttack:
    """The attack behind an experiment's anomalies: its name, its steps, and whether its images are held out."""

    attack: str
    steps: int
    held_out: bool


@dataclass(frozen=True)
class PlannedExperiment:
    """An experiment whose fits are all combinations of normal class, method and seed.

    dataset: folder of its arrays, in that of results.
    images: whether these are images.
    contaminated_and_tested: whether a metric can be defined under both evaluations.
    contamination: share of anomalies among all samples of the training set.
    family: the list of contaminations that it is one of, by the name in the configuration, or None.
    attack: None unless its anomalies are adversarial.
    published: data set of the published results to compare with, or None.
    judged: evaluation under which published cells are judged, or None where the protocol is not the published one.
    remark: what its reader must know.
    labelled: whether it is known which samples are anomalies; else there are scores, and nothing is measured.
    anomaly_classes: whether each class of anomalies is measured alone, too.
    taken_apart: whether its fits are, see `ocnn.results.decomposition`.
    shuffled: the experiment that differs from it by a shuffled training set, or None.
    trained: whether one of its methods trains a network.
    """

    name: str
    normal_classes: tuple[str, ...]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    dataset: str
    images: bool
    contaminated_and_tested: bool
    contamination: float = 0.0
    family: str | None = None
    attack: PlannedAttack | None = None
    published: str | None = None
    judged: str | None = None
    remark: str = ""
    labelled: bool = True
    anomaly_classes: bool = False
    taken_apart: bool = False
    shuffled: str | None = None
    trained: bool = False


@dataclass(frozen=True)
class PlannedMethod:
    """A row of the tables, and the published method that it is compared with."""

    name: str
    published: str


@dataclass(frozen=True)
class Reference:
    """Another lab's AUCs: the name of their line in the tables, and their CSV file."""

    name: str
    path: str


@dataclass(frozen=True)
class PublishedFiles:
    """Files of what was published, see `ocnn.config.sections.Published`."""

    auc: tuple[str, ...] = ()
    data: str | None = None
    networks: str | None = None
    claims: str | None = None
    runs: str | None = None


@dataclass(frozen=True)
class Plan:
    """What tables, figures and report show.

    margin, odds_ratio, alpha: of the verdicts, see `ocnn.config.sections.Verdicts`.
    compare: the measurements of another run that this one is compared with, or None.
    """

    experiments: tuple[PlannedExperiment, ...]
    methods: tuple[PlannedMethod, ...]
    published: PublishedFiles = PublishedFiles()
    references: tuple[Reference, ...] = ()
    margin: float = 2.0
    odds_ratio: float = 1.25
    alpha: float = 0.05
    compare: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the plan as what JSON can hold."""
        return asdict(self)

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> "Plan":
        """Read what `to_json` gave, be it through a file.

        Raises:
            pydantic.ValidationError: it is no plan.
        """
        return TypeAdapter(Plan).validate_python(content)

    def __getitem__(self, name: str) -> PlannedExperiment:
        """Return the experiment of this name."""
        return {experiment.name: experiment for experiment in self.experiments}[name]

    @property
    def attacked(self) -> dict[str, PlannedAttack]:
        """The attacks, by the names of the experiments on their images."""
        return {experiment.name: experiment.attack for experiment in self.experiments if experiment.attack}

    @property
    def families(self) -> dict[str, dict[str, float]]:
        """The contamination of each experiment of a list of them, by the list's name; without lists of one."""
        names = dict.fromkeys(experiment.family for experiment in self.experiments if experiment.family)
        families = {name: {e.name: e.contamination for e in self.experiments if e.family == name} for name in names}
        return {name: members for name, members in families.items() if len(members) > 1}

    @property
    def remarks(self) -> dict[str, str]:
        """The remark on each experiment."""
        return {experiment.name: experiment.remark for experiment in self.experiments}

    @property
    def datasets(self) -> dict[str, str | None]:
        """The published data set that each experiment is compared with."""
        return {experiment.name: experiment.published for experiment in self.experiments}

    @property
    def rule(self) -> dict[str, float]:
        """The numbers by which published cells are judged, as `verdicts.judge` is called with them."""
        return {"margin": self.margin, "odds_ratio": self.odds_ratio, "alpha": self.alpha}

    @property
    def judged(self) -> dict[str, str | None]:
        """The evaluation under which the published cells of each experiment are judged."""
        return {experiment.name: experiment.judged for experiment in self.experiments}

    @property
    def taken_apart(self) -> dict[str, str | None]:
        """The experiments that are taken apart, each with its shuffled one."""
        return {experiment.name: experiment.shuffled for experiment in self.experiments if experiment.taken_apart}

    @property
    def published_methods(self) -> dict[str, str]:
        """The published method that each row of the tables is compared with."""
        return {method.name: method.published for method in self.methods}

    @property
    def labelled(self) -> list[PlannedExperiment]:
        """The experiments in which something is measured."""
        return [experiment for experiment in self.experiments if experiment.labelled]

    @property
    def one_per_dataset(self) -> list[str]:
        """The first experiment on each data set, attacked ones apart; none where these are too few."""
        first: dict[str, str] = {}
        for experiment in self.labelled:
            if experiment.attack is None:
                first.setdefault(experiment.dataset.rpartition("/")[2], experiment.name)
        return list(first.values()) if len(first) >= FEWEST_DATASETS else []

    @property
    def changes(self) -> bool:
        """Whether there is a table of what differs from another run."""
        return self.compare is not None and bool(self.labelled)

    def fits(self, *, first_seed: bool = False) -> list[Fit]:
        """List the fits, or those of each experiment's first seed, as tables order them: class, method, seed."""
        return [
            Fit(experiment.name, *identity)
            for experiment in self.experiments
            for identity in product(
                experiment.normal_classes, experiment.methods, experiment.seeds[:1] if first_seed else experiment.seeds
            )
        ]

    def table_files(self) -> dict[str, list[str]]:
        """Name the files of each table, under the folder of results."""
        names = ["table1", "table2"]
        if self.labelled:
            names.append("metrics")
        if len(self.attacked) < len(self.labelled):
            names.append("table3")
        if self.attacked:
            names.append("table4")
        if self.taken_apart:
            names.append("decomposition")
        compared = {
            # As many lines as there are cells: nothing to print.
            "verdicts": [file for file in _formats("tables/verdicts") if not file.endswith(".tex")],
            "comparison": ["tables/comparison.md", "tables/comparison.html", "tables/differences.csv"],
            "claims": _formats("claims"),
        }
        return {
            **{name: _formats(f"tables/{name}") for name in names},
            **(compared if self.labelled else {}),
            **({"changes": [f"tables/changes{suffix}" for suffix in (".csv", ".md", ".html")]} if self.changes else {}),
            # Of all of them, for the report.
            "documents": ["tables/documents.json"],
        }

    def own_tables(self) -> dict[str, list[str]]:
        """Name, by the rule that makes them, the experiments that have tables of their own."""
        return {
            "most_anomalous": [e.name for e in self.experiments if not e.labelled],
            "anomaly_classes": [e.name for e in self.experiments if e.anomaly_classes],
        }

    def published_files(self) -> list[str]:
        """Name every file of published results."""
        published = self.published
        singles = (published.data, published.networks, published.claims, published.runs)
        references = [reference.path for reference in self.references]
        return [*published.auc, *references, *(path for path in singles if path)]

    def comparison_names(self) -> list[str]:
        """Name the figures that come from measurements: `kind/experiment`, or `kind`."""
        names = []
        for experiment in self.experiments:
            kinds = ["auc", "curves", "cost"] if experiment.labelled else []
            if experiment.trained:
                kinds.append("training")
            if experiment.labelled and len(experiment.normal_classes) > 1:
                kinds.insert(1, "heatmap")
            if experiment.taken_apart:
                kinds.append("decomposition")
            if experiment.contaminated_and_tested:
                kinds.append("gap")
            if experiment.labelled and len(experiment.normal_classes) > 1 and len(experiment.methods) > 2:
                kinds += ["ranks", "differences"]
            names += [f"{kind}/{experiment.name}" for kind in kinds]
        several = [set(self[name].methods) for name in self.one_per_dataset]
        if several and len(set.intersection(*several)) > 2:
            names += ["ranks", "differences"]
        variants = set(self.attacked.values())
        if len(variants) > len({(variant.attack, variant.held_out) for variant in variants}):
            names.append("attack_strength")
        return names + [f"contamination/{family}" for family in self.families]

    def sample_names(self) -> list[str]:
        """Name the figures that come from the first seed's score files: `kind/experiment[/method]`.

        Of experiments on one attack that differ in its steps alone, the one to be compared with the paper, else the
        first, has its extremes drawn; of those that differ in their contamination alone, the first its samples.
        """
        chosen: dict[tuple[str, bool], PlannedExperiment] = {}
        for experiment in self.experiments:
            if experiment.attack:
                key = (experiment.attack.attack, experiment.attack.held_out)
                if key not in chosen or (experiment.published and not chosen[key].published):
                    chosen[key] = experiment
        later = {name for members in self.families.values() for name in list(members)[1:]}
        names = []
        for experiment in self.experiments:
            if experiment.name in later:
                continue
            if not experiment.labelled:
                names += [f"most_anomalous/{experiment.name}/{m}" for m in experiment.methods if experiment.images]
            elif experiment.attack is None and experiment.images:
                names += [f"in_class/{experiment.name}/{method}" for method in experiment.methods]
            elif experiment in chosen.values():
                names += [f"extremes/{experiment.name}/{method}" for method in experiment.methods]
            if len(experiment.normal_classes) == 1:
                names.append(f"decision_scores/{experiment.name}")
        return names

    def attack_names(self) -> list[str]:
        """Name the figures of adversarial images."""
        return list(dict.fromkeys(f"attacks/{attack.attack}-{attack.steps}" for attack in self.attacked.values()))


def _formats(name: str) -> list[str]:
    return [f"{name}{suffix}" for suffix in TABLE_SUFFIXES]


def figure_files(names: Iterable[str]) -> list[str]:
    """Name the files of these figures, under the folder of figures."""
    return [f"{name}{suffix}" for name in names for suffix in FIGURE_SUFFIXES]
