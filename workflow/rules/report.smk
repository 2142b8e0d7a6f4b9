# Scores → metrics → tables.


localrules:
    consistency,
    metrics,
    table3,


rule metrics:
    input:
        fits(rules.fit.output[0]),
    output:
        f"{RESULTS}/metrics.parquet",
    log:
        f"{RESULTS}/logs/metrics.log",
    benchmark:
        f"{RESULTS}/benchmarks/metrics.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        # The paths of thousands of files do not fit into a command line; the grid names them.
        grid=json.dumps(GRID),
        scores=lambda wildcards: rules.fit.output[0],
        benchmarks=lambda wildcards: rules.fit.benchmark,
        code=code("ocnn.pipeline:collect_metrics"),
    shell:
        "python -m workflow.scripts.metrics --grid {params.grid:q} --scores {params.scores:q}"
        " --benchmarks {params.benchmarks:q} --output {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule consistency:
    input:
        fits(rules.fit.output[0]),
    output:
        f"{RESULTS}/tables/consistency.csv",
    log:
        f"{RESULTS}/logs/consistency.log",
    benchmark:
        f"{RESULTS}/benchmarks/consistency.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        grid=json.dumps(GRID),
        scores=lambda wildcards: rules.fit.output[0],
        code=code("ocnn.pipeline:make_consistency"),
    shell:
        "python -m workflow.scripts.consistency --grid {params.grid:q} --scores {params.scores:q}"
        " --output {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule table3:
    input:
        metrics=rules.metrics.output[0],
        published=CONFIG.published,
    output:
        csv=f"{RESULTS}/tables/table3.csv",
        markdown=f"{RESULTS}/tables/table3.md",
    log:
        f"{RESULTS}/logs/table3.log",
    benchmark:
        f"{RESULTS}/benchmarks/table3.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        datasets=json.dumps({name: block.published for name, block in CONFIG.experiments.items()}),
        methods=json.dumps(CONFIG.published_methods()),
        code=code("ocnn.pipeline:make_table3"),
    shell:
        "python -m workflow.scripts.table3 --metrics {input.metrics:q} --published {input.published:q}"
        " --datasets {params.datasets:q} --methods {params.methods:q} --csv {output.csv:q} --markdown {output.markdown:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"
