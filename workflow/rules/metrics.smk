# Score files → measurements. For `compared` see report.smk.


localrules:
    metrics,
    consistency,


rule metrics:
    input:
        fits(rules.fit.output[0]),
    output:
        metrics=f"{RESULTS}/metrics.parquet",
        histories=f"{RESULTS}/histories.parquet",
        provenance=f"{RESULTS}/provenance.json",
    log:
        f"{RESULTS}/logs/metrics.log",
    benchmark:
        f"{RESULTS}/benchmarks/metrics.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        compared=json.dumps(UNORDERED["experiments"], sort_keys=True),
        # The paths of thousands of files do not fit into a command line; the plan names them.
        plan=lambda wildcards, input: json.dumps(PLAN["experiments"]),
        scores=lambda wildcards: rules.fit.output[0],
        benchmarks=lambda wildcards: rules.fit.benchmark,
        code=code("ocnn.steps.metrics:collect_metrics"),
    shell:
        "python -m workflow.scripts.metrics --grid {params.plan:q} --scores {params.scores:q}"
        " --benchmarks {params.benchmarks:q} --metrics {output.metrics:q} --histories {output.histories:q}"
        " --provenance {output.provenance:q} > {log:q} 2>&1"
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
        compared=json.dumps(UNORDERED["experiments"], sort_keys=True),
        plan=lambda wildcards, input: json.dumps(PLAN["experiments"]),
        scores=lambda wildcards: rules.fit.output[0],
        code=code("ocnn.steps.metrics:make_consistency"),
    shell:
        "python -m workflow.scripts.consistency --grid {params.plan:q} --scores {params.scores:q}"
        " --output {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"
