"""What a plan says, and that it comes back from JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ocnn.config.checks import load
from ocnn.config.plan import Plan, PlannedAttack, PlannedExperiment, PlannedMethod, PublishedFiles, Reference
from ocnn.config.schema import Config
from ocnn.results.scores import Fit
from ocnn.steps.jobs import Jobs
from tests.config.configurations import shipped


def planned(name: str = "toy", **changes: Any) -> PlannedExperiment:
    """An experiment of two classes, three methods and two seeds."""
    fields: dict[str, Any] = {"normal_classes": ("3", "None"), "methods": ("kde", "ocnn", "rcae"), "seeds": (4, 7)}
    fields |= {"dataset": "digits", "images": True, "contaminated_and_tested": True, "trained": True}
    return PlannedExperiment(name, **{**fields, **changes})


def plan_of(*experiments: PlannedExperiment) -> Plan:
    return Plan(experiments, (PlannedMethod("kde", "kde"), PlannedMethod("own", "ocnn")))


@pytest.mark.parametrize("name", ["config", "paper", "reduced", "unit_norm"])
def test_a_plan_comes_back_from_json_whatever_the_order_of_keys(name: str) -> None:
    plan = load(shipped(name)).plan()
    assert Plan.from_json(json.loads(json.dumps(plan.to_json(), sort_keys=True))) == plan
    assert len(plan.fits()) > 10


names = st.text(max_size=5)
texts = st.none() | names


@given(
    st.builds(
        Plan,
        st.tuples(
            st.builds(
                PlannedExperiment,
                names,
                st.tuples(names, names),
                st.tuples(names),
                st.tuples(st.integers(0, 2**31)),
                names,
                attack=st.none() | st.builds(PlannedAttack, names),
                published=texts,
            )
        ),
        st.tuples(st.builds(PlannedMethod, names, names)),
        st.builds(PublishedFiles, st.tuples(names), texts, texts, texts),
        st.tuples(st.builds(Reference, names, names)),
        st.floats(0.1, 5),
        st.floats(0.01, 0.4),
    )
)
def test_any_plan_comes_back_from_json(plan: Plan) -> None:
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_what_is_no_plan() -> None:
    with pytest.raises(ValidationError, match="experiments"):
        Plan.from_json({"methods": []})


def test_the_order_of_keys_is_that_of_rows_and_alters_no_fit() -> None:
    raw: dict[str, Any] = {"methods": {"kde": {}, "iforest": {}}, "experiments": {}}
    raw["experiments"] = {name: {"dataset": "synthetic", "contamination": 0} for name in ("a", "b")}
    plan = load(raw).plan()
    other = load({key: dict(reversed(block.items())) for key, block in raw.items()}).plan()
    assert [method.name for method in plan.methods] == ["kde", "iforest"]
    assert [method.name for method in other.methods] == ["iforest", "kde"]
    assert [experiment.name for experiment in other.experiments] == ["b", "a"]
    assert other.fits() != plan.fits()
    assert set(other.fits()) == set(plan.fits())


def test_fits() -> None:
    plan = plan_of(planned(methods=("kde", "ocnn")), planned("more", normal_classes=("0",), methods=("own",)))
    assert plan.fits()[:3] == [Fit("toy", "3", "kde", 4), Fit("toy", "3", "kde", 7), Fit("toy", "3", "ocnn", 4)]
    assert plan.fits()[-1] == Fit("more", "0", "own", 7)
    assert len(plan.fits()) == 10
    assert plan.fits(first_seed=True) == [fit for fit in plan.fits() if fit.seed == 4]
    assert plan["more"].methods == ("own",)
    assert plan.published_methods == {"kde": "kde", "own": "ocnn"}


def test_tables() -> None:
    attack = PlannedAttack("stop", 100, held_out=True)
    both = plan_of(planned(), planned("attacked", attack=attack))
    assert {"table3", "table4", "metrics", "claims"} <= set(both.table_files())
    assert "table4" not in plan_of(planned()).table_files()
    assert "table3" not in plan_of(planned(attack=attack)).table_files()
    assert both.table_files()["verdicts"] == ["tables/verdicts.csv", "tables/verdicts.md", "tables/verdicts.html"]
    assert both.table_files()["claims"][0] == "claims.csv"
    assert both.attacked == {"attacked": attack}
    files = Plan((), (), PublishedFiles(("a.csv",), "b.csv", None, "c.yaml", "e.csv"), (Reference("lab", "d.csv"),))
    assert files.published_files() == ["a.csv", "d.csv", "b.csv", "c.yaml", "e.csv"]


def test_figures_from_measurements() -> None:
    plain, few = planned(), planned("few", methods=("kde", "ocnn"), contaminated_and_tested=False)
    kinds = ["auc", "heatmap", "curves", "cost", "training", "gap", "ranks", "differences"]
    assert plan_of(plain, few).comparison_names() == [
        *(f"{kind}/toy" for kind in kinds),
        *("auc/few", "heatmap/few", "curves/few", "cost/few", "training/few"),
    ]
    # Of a single class there is nothing to compare over classes.
    alone = plan_of(planned(normal_classes=("3",))).comparison_names()
    assert alone == [f"{kind}/toy" for kind in ("auc", "curves", "cost", "training", "gap")]
    assert "training/toy" not in plan_of(planned(trained=False)).comparison_names()


def test_methods_are_ranked_over_five_data_sets_or_more() -> None:
    """Each by its first experiment; those on an attacked class are none of them."""
    own = [planned(f"e{place}", normal_classes=("x",), dataset=f"images/d{place}") for place in range(5)]
    again = planned("again", normal_classes=("x",), dataset="pixels/d0")
    attacked = planned("attacked", attack=PlannedAttack("stop", 1, True), dataset="images/d9")
    plan = plan_of(*own, again, attacked)
    assert plan.one_per_dataset == ["e0", "e1", "e2", "e3", "e4"]
    assert {"ranks", "differences"} <= set(plan.comparison_names())
    fewer = plan_of(*own[:4], again, attacked)
    assert fewer.one_per_dataset == []
    assert not {"ranks", "differences"} & set(fewer.comparison_names())
    # Of two methods that all have there is no diagram, but still a table.
    apart = plan_of(*own[:4], planned("e4", normal_classes=("x",), dataset="images/d4", methods=("kde", "ocnn")))
    assert len(apart.one_per_dataset) == 5
    assert not {"ranks", "differences"} & set(apart.comparison_names())


def test_figures_of_samples() -> None:
    """An attack's extremes are drawn once: of the experiment to be compared with the paper, else of the first."""
    attacks = [planned(f"a{steps}", attack=PlannedAttack("stop", steps, True), methods=("kde",)) for steps in (0, 100)]
    table = planned("table", normal_classes=("x",), images=False, methods=("kde",))
    plain = planned(methods=("kde", "ocnn"))
    assert plan_of(plain, table, *attacks).sample_names() == [
        *("in_class/toy/kde", "in_class/toy/ocnn"),
        "decision_scores/table",
        "extremes/a0/kde",
    ]
    compared = planned("a7", attack=PlannedAttack("stop", 7, True), methods=("kde",), published="gtsrb")
    assert plan_of(*attacks, compared).sample_names() == ["extremes/a7/kde"]
    assert "attack_strength" in plan_of(*attacks).comparison_names()
    assert "attack_strength" not in plan_of(attacks[0]).comparison_names()
    apart = planned("b", attack=PlannedAttack("stop", 100, False), methods=("kde",))
    assert "attack_strength" not in plan_of(attacks[0], apart).comparison_names()
    assert plan_of(*attacks, apart).attack_names() == ["attacks/stop-0", "attacks/stop-100"]


def contaminated(**changes: Any) -> Config:
    """Two digits at three contaminations, and one experiment beside them."""
    block = {"dataset": "digits", "normal_classes": [3, 8], "contamination": [0, "1/101", 0.05], "seeds": 2, **changes}
    beside = {"dataset": "digits", "contamination": "1/101"}
    return load({"methods": {"kde": {}, "dcae": {}}, "experiments": {"sweep": block, "beside": beside}})


def test_a_list_of_contaminations_is_a_family() -> None:
    config = contaminated()
    members = {"sweep_0": 0, "sweep_1_101": 1 / 101, "sweep_1_20": 0.05}
    assert list(config.experiments) == [*members, "beside"]
    assert {name: config.experiments[name].contamination for name in members} == members
    plan = config.plan()
    # `beside` may differ in other settings, so that it is no point of the line.
    assert plan.families == {"sweep": members}
    assert len([fit for fit in plan.fits() if fit.experiment in members]) == 3 * 2 * 2 * 2
    assert [name for name in plan.comparison_names() if name.startswith("contamination/")] == ["contamination/sweep"]
    # A clean training set has no AUC, hence no gap to the test part's.
    assert {"gap/sweep_1_101", "auc/sweep_0"} <= set(plan.comparison_names())
    assert "gap/sweep_0" not in plan.comparison_names()
    assert [name for name in plan.sample_names() if "sweep" in name] == [
        "in_class/sweep_0/kde",
        "in_class/sweep_0/dcae",
    ]
    (alone,) = contaminated(contamination=[0.1], normal_classes=[3]).plan().experiments[:1]
    assert (alone.name, alone.contamination) == ("sweep_1_10", 0.1)
    assert contaminated(contamination=[0.1]).plan().families == {}


def test_a_family_shares_the_arrays_and_no_split() -> None:
    """A split's recipe tells the contaminations apart, and with it that of all that is fitted to the split."""
    config = contaminated()
    jobs, names = Jobs(config), list(config.plan().families["sweep"])
    assert {config.plan()[name].dataset for name in names} == {"images/digits"}
    assert {config.experiments[name].dataset for name in names} == {"digits"}
    splits = [dict(jobs.split(name, "3", "0").settings) for name in names]
    assert [split.pop("contamination") for split in splits] == [0, 1 / 101, 0.05]
    assert splits[0] == splits[1] == splits[2]


def test_the_papers_sweep_is_run_when_it_is_asked_for() -> None:
    content = shipped("reduced")
    assert not load(content).plan().families
    config = load({**content, "run": ["mnist_contamination"]})
    (family,) = config.plan().families.values()
    assert [round(share / (1 - share), 9) for share in family.values()] == [0, 0.01, 0.05, 0.1]
    assert config.settings("mnist_contamination_1_21", "dcae", 0)["epochs"] == [12, 4]


@pytest.mark.parametrize(("name", "evaluation"), [("paper", "test"), ("released", "train")])
def test_a_published_cell_is_judged_where_its_protocol_measures_it(name: str, evaluation: str) -> None:
    plan = load(shipped(name)).plan()
    assert plan.judged["mnist" if name == "paper" else "mnist_as_released"] == evaluation


def test_experiments_that_are_taken_apart() -> None:
    """One with a share that is not fitted, but not the shuffled one that another names; the twin only if it is run."""
    apart = planned("released", taken_apart=True, shuffled="again")
    plan = plan_of(apart, planned("again"))
    assert plan.taken_apart == {"released": "again"}
    assert "decomposition/released" in plan.comparison_names()
    assert "decomposition/again" not in plan.comparison_names()
    assert "decomposition" in plan.table_files()
    assert "decomposition" not in plan_of(planned()).table_files()


def test_the_configuration_tells_which_are_taken_apart() -> None:
    share = {"training_set": {"validation_split": 0.1}}
    config = load(
        {
            "methods": {"kde": {}},
            "experiments": {
                "plain": {"dataset": "digits", "contamination": 0},
                "released": {
                    "dataset": "digits",
                    "contamination": 0.01,
                    **share,
                    "shuffled": "again",
                    "pixels": "scaled",
                },
                "again": {
                    "dataset": "digits",
                    "contamination": 0.01,
                    "training_set": {"validation_split": 0.1, "order": "shuffled"},
                    "pixels": "scaled",
                },
            },
        }
    )
    plan = config.plan()
    assert plan.taken_apart == {"released": "again"}
    assert [experiment.dataset for experiment in plan.experiments] == [
        "images/digits",
        "pixels/digits",
        "pixels/digits",
    ]
    assert [config.scaling(name) for name in ("plain", "released")] == ["pixels", "none"]
    alone = config.model_copy(update={"experiments": {"released": config.experiments["released"]}})
    assert alone.plan().taken_apart == {"released": None}
