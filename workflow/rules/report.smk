# Measurements → tables, verdicts and claims → figures → the report. Nothing here fits anything.
# `compared` is what Snakemake compares with the last run's; of the other parameters it compares none that asks for `input`.


localrules:
    tables,
    comparison_figures,
    sample_figures,
    attack_images,
    report,


rule tables:
    input:
        metrics=rules.metrics.output.metrics,
        provenance=rules.metrics.output.provenance,
        splits=first_splits(),
        images=all_images(),
        records=attacks(rules.verify.output[0]),
        published=published_files(PLAN),
        templates=TEMPLATES,
    output:
        **{
            name: [
                in_report(f"{RESULTS}/{file}", name, "Tables") if file.endswith(".html") else f"{RESULTS}/{file}"
                for file in files
            ]
            for name, files in table_files(PLAN).items()
        },
    log:
        f"{RESULTS}/logs/tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        compared=json.dumps(UNORDERED, sort_keys=True),
        plan=lambda wildcards, input: json.dumps(PLAN),
        splits=lambda wildcards: rules.split.output[0],
        images=lambda wildcards: f"{RESULTS}/images/{{dataset}}/train.npy",
        records=lambda wildcards: rules.verify.output[0],
        folder=lambda wildcards: RESULTS,
        code=code("ocnn.steps.tables:make_tables"),
    shell:
        "python -m workflow.scripts.tables --plan {params.plan:q} --metrics {input.metrics:q}"
        " --provenance {input.provenance:q} --splits {params.splits:q} --images {params.images:q}"
        " --records {params.records:q} --folder {params.folder:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule comparison_figures:
    input:
        metrics=rules.metrics.output.metrics,
        histories=rules.metrics.output.histories,
        tables=auc_tables(),
    output:
        figure_outputs(comparison_names(PLAN)),
    log:
        f"{RESULTS}/logs/comparison_figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/comparison_figures.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        compared=json.dumps(UNORDERED, sort_keys=True),
        plan=lambda wildcards, input: json.dumps(PLAN),
        folder=lambda wildcards: f"{RESULTS}/figures",
        code=code("ocnn.steps.figures:draw_comparisons"),
    shell:
        "python -m workflow.scripts.comparison_figures --plan {params.plan:q} --metrics {input.metrics:q}"
        " --histories {input.histories:q} --tables {input.tables:q} --folder {params.folder:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule sample_figures:
    input:
        scores=first_scores(),
        images=all_images(),
    output:
        figure_outputs(sample_names(PLAN)),
    log:
        f"{RESULTS}/logs/sample_figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/sample_figures.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        compared=json.dumps(UNORDERED, sort_keys=True),
        plan=lambda wildcards, input: json.dumps(PLAN),
        scores=lambda wildcards: rules.fit.output[0],
        images=lambda wildcards: f"{RESULTS}/images/{{dataset}}/{{part}}.npy",
        folder=lambda wildcards: f"{RESULTS}/figures",
        code=code("ocnn.steps.figures:draw_samples"),
    shell:
        "python -m workflow.scripts.sample_figures --plan {params.plan:q} --scores {params.scores:q}"
        " --images {params.images:q} --folder {params.folder:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule attack_images:
    input:
        pixels=pixel_files,
        attack=rules.attack.output[0],
        record=rules.verify.output[0],
    output:
        f"{RESULTS}/figures/attacks/{{attack}}-{{steps}}.svg",
        in_report(f"{RESULTS}/figures/attacks/{{attack}}-{{steps}}.png", "attacks", "Figures"),
    log:
        f"{RESULTS}/logs/attack_images/{{attack}}-{{steps}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_images/{{attack}}-{{steps}}.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        code=code("ocnn.steps.figures:draw_adversarial_images"),
    shell:
        "python -m workflow.scripts.attack_images --pixels {input.pixels:q} --attack {input.attack:q}"
        " --record {input.record:q} --outputs {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


FIGURES = [
    *rules.comparison_figures.output,
    *rules.sample_figures.output,
    *(file for pattern in rules.attack_images.output for file in attacks(pattern)),
]


rule report:
    input:
        metrics=rules.metrics.output.metrics,
        provenance=rules.metrics.output.provenance,
        tables=rules.tables.output,
        figures=FIGURES,
        templates=TEMPLATES,
        captions=CAPTIONS,
    output:
        f"{RESULTS}/report.html",
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        compared=json.dumps([UNORDERED, CONFIGURATION], sort_keys=True),
        plan=lambda wildcards, input: json.dumps(PLAN),
        configuration=lambda wildcards, input: json.dumps(CONFIGURATION),
        folder=lambda wildcards: RESULTS,
        # No input: an archive that was deleted once its arrays are made is not fetched again for a checksum.
        archives=all_archives(),
        captions=lambda wildcards, input: str(Path(input.captions[0]).parent),
        code=code("ocnn.steps.report:make_report"),
    shell:
        "python -m workflow.scripts.report --plan {params.plan:q} --configuration {params.configuration:q}"
        " --folder {params.folder:q} --provenance {input.provenance:q} --archives {params.archives:q}"
        " --captions {params.captions:q} --output {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"
