# Summary → tables, verdicts and claims → figures → the report. Nothing here fits anything.


#: Without anything published these tables are empty, and not for Snakemake's own report.
UNSAID = set() if any(PLAN.datasets.values()) else {"verdicts", "claims"}


use rule metrics as tables with:
    """Write the tables, the verdicts and the claims."""
    input:
        metrics=rules.metrics.output.metrics,
        summary=rules.summary.output.summary,
        references=rules.summary.output.references,
        provenance=rules.metrics.output.provenance,
        splits=fits(rules.split.output.split, first_seed=True),
        arrays=all_images,
        records=attacks(rules.verify.output.record),
        published=PLAN.published_files(),
        compared=[PLAN.compare] if PLAN.changes else [],
        templates=TEMPLATES,
        stale=stale("tables", stated("tables")),
    output:
        **{
            name: [
                (
                    in_report(f"{RESULTS}/{file}", name, "Tables")
                    if file.endswith(".html") and name not in UNSAID
                    else f"{RESULTS}/{file}"
                )
                for file in files_of_table
            ]
            for name, files_of_table in PLAN.table_files().items()
        },
        stated=stated("tables"),
    log:
        f"{RESULTS}/logs/tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables.tsv"
    localrule: True
    params:
        job=job(
            "tables",
            splits=rules.split.output.split,
            images=f"{RESULTS}/{{dataset}}/train.npy",
            records=rules.verify.output.record,
            folder=RESULTS,
        ),
        files=files(unread=["splits", "arrays", "records", "published", "compared", "templates"], written=["stated"]),


use rule metrics as comparison_figures with:
    """Draw the figures that come from measurements."""
    input:
        metrics=rules.metrics.output.metrics,
        histories=rules.metrics.output.histories,
        shapes=rules.metrics.output.shapes,
        summary=rules.summary.output.summary,
        records=attacks(rules.verify.output.record),
        stale=stale("comparison_figures", stated("comparison_figures")),
    output:
        figures=figure_outputs(PLAN.comparison_names()),
        stated=stated("comparison_figures"),
    log:
        f"{RESULTS}/logs/comparison_figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/comparison_figures.tsv"
    localrule: True
    params:
        job=job("comparison_figures", records=rules.verify.output.record, folder=f"{RESULTS}/figures"),
        files=files(unread=["records"], written=["stated"]),


use rule metrics as sample_figures with:
    """Draw the figures that come from the scores of single samples."""
    input:
        scores=fits(rules.fit.output.scores, first_seed=True),
        arrays=all_images,
        stale=stale("sample_figures", stated("sample_figures")),
    output:
        figures=figure_outputs(PLAN.sample_names()),
        stated=stated("sample_figures"),
    log:
        f"{RESULTS}/logs/sample_figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/sample_figures.tsv"
    localrule: True
    params:
        job=job(
            "sample_figures",
            scores=rules.fit.output.scores,
            images=f"{RESULTS}/{{dataset}}/{{part}}.npy",
            folder=f"{RESULTS}/figures",
        ),
        files=files(unread=["scores", "arrays"], written=["stated"]),


use rule metrics as most_anomalous with:
    """Order the samples of an experiment without labels, the most anomalous first."""
    input:
        scores=of_experiment(rules.fit.output.scores),
        metrics=rules.metrics.output.metrics,
        stale=stale("most_anomalous", stated("most_anomalous/{experiment}")),
    output:
        outputs=own_table("most_anomalous"),
        stated=stated("most_anomalous/{experiment}"),
    log:
        f"{RESULTS}/logs/most_anomalous/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/most_anomalous/{{experiment}}.tsv"
    localrule: True
    params:
        job=job("most_anomalous", scores=rules.fit.output.scores),
        files=files(unread=["metrics"], unnamed=["scores"]),


use rule metrics as anomaly_classes with:
    """Measure each class of anomalies of an experiment alone."""
    input:
        scores=of_experiment(rules.fit.output.scores),
        splits=of_experiment(rules.split.output.split),
        metrics=rules.metrics.output.metrics,
        stale=stale("anomaly_classes", stated("anomaly_classes/{experiment}")),
    output:
        outputs=own_table("anomaly_classes"),
        stated=stated("anomaly_classes/{experiment}"),
    log:
        f"{RESULTS}/logs/anomaly_classes/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/anomaly_classes/{{experiment}}.tsv"
    localrule: True
    params:
        job=job("anomaly_classes", scores=rules.fit.output.scores, splits=rules.split.output.split),
        files=files(unread=["metrics"], unnamed=["scores", "splits"]),


#: Tables of single experiments, by the rule that makes them; like the figures below as mere paths, since a caption is
#: one of the rule that makes the file.
OWN_TABLES = {
    kind: [str(file).format(experiment=name) for name in names for file in own_table(kind)]
    for kind, names in PLAN.own_tables().items()
}


use rule metrics as attack_images with:
    """Draw sources, adversarial images and their differences."""
    input:
        pixels=pixel_files,
        attack=rules.attack.output.attack,
        record=rules.verify.output.record,
        stale=stale("attack_images", stated("attack_images/{attack}-{steps}")),
    output:
        outputs=[
            f"{RESULTS}/figures/attacks/{{attack}}-{{steps}}.svg",
            in_report(
                f"{RESULTS}/figures/attacks/{{attack}}-{{steps}}.png", "attacks", "Figures", "{attack}, {steps} steps"
            ),
        ],
        stated=stated("attack_images/{attack}-{steps}"),
    log:
        f"{RESULTS}/logs/attack_images/{{attack}}-{{steps}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_images/{{attack}}-{{steps}}.tsv"
    localrule: True
    params:
        job=job("attack_images"),
        files=files(),


FIGURES = [
    *map(str, rules.comparison_figures.output.figures),
    *map(str, rules.sample_figures.output.figures),
    *(file for pattern in rules.attack_images.output.outputs for file in attacks(pattern)),
]


use rule metrics as report with:
    """Write the report: tables, figures and where they come from, in one file."""
    input:
        metrics=rules.metrics.output.metrics,
        histories=rules.metrics.output.histories,
        shapes=rules.metrics.output.shapes,
        mistakes=rules.metrics.output.mistakes,
        summary=rules.summary.output.summary,
        documents=rules.tables.output.documents[0],
        own=[file for of_rule in OWN_TABLES.values() for file in of_rule if file.endswith(".json")],
        provenance=rules.metrics.output.provenance,
        published=PLAN.published_files(),
        arrays=all_images,
        figure_files=lambda wildcards: FIGURES,
        templates=TEMPLATES,
        caption_files=CAPTIONS,
        stale=stale("report", stated("report")),
    output:
        output=f"{RESULTS}/report.html",
        stated=stated("report"),
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    localrule: True
    params:
        job=job(
            "report",
            figures=f"{RESULTS}/figures",
            benchmarks=f"{RESULTS}/benchmarks",
            logs=f"{RESULTS}/logs/fit/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.log",
            images=f"{RESULTS}/{{dataset}}/{{part}}.npy",
            # No input: an archive that was deleted once its arrays are made is not fetched again for a checksum.
            archives=all_archives(),
            captions=os.path.dirname(CAPTIONS[0]),
        ),
        files=files(unread=["published", "arrays", "figure_files", "templates", "caption_files"]),
