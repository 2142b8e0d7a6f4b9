# Score files → measurements → the summary. Whatever only reads results runs as `metrics` does.


rule metrics:
    """Measure every fit by its scores: metrics, training histories, settings and versions."""
    input:
        scores=fits(rules.fit.output.scores),
        stale=stale(
            "metrics",
            [
                f"{RESULTS}/{file}"
                for file in (
                    *(f"{name}.parquet" for name in ("metrics", "histories", "shapes", "mistakes")),
                    "provenance.json",
                )
            ],
            gathered=rules.fit.output.scores,
        ),
    output:
        metrics=f"{RESULTS}/metrics.parquet",
        histories=f"{RESULTS}/histories.parquet",
        shapes=f"{RESULTS}/shapes.parquet",
        mistakes=f"{RESULTS}/mistakes.parquet",
        provenance=f"{RESULTS}/provenance.json",
    log:
        f"{RESULTS}/logs/metrics.log",
    benchmark:
        f"{RESULTS}/benchmarks/metrics.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        job=job("metrics", scores=rules.fit.output.scores, benchmarks=rules.fit.benchmark),
        files=files(unnamed=["scores"]),
    shell:
        RUN


use rule metrics as consistency with:
    """Measure how alike the seeds of a method rank the training samples."""
    input:
        scores=fits(rules.fit.output.scores),
        # Not read: it states a digest of all these.
        metrics=rules.metrics.output.metrics,
        stale=stale("consistency", stated("consistency")),
    output:
        output=f"{RESULTS}/tables/consistency.csv",
        stated=stated("consistency"),
    log:
        f"{RESULTS}/logs/consistency.log",
    benchmark:
        f"{RESULTS}/benchmarks/consistency.tsv"
    localrule: True
    params:
        job=job("consistency", scores=rules.fit.output.scores),
        files=files(unread=["metrics"], unnamed=["scores"]),


use rule metrics as summary with:
    """Summarise the measurements over seeds, beside the published values."""
    input:
        metrics=rules.metrics.output.metrics,
        published=PLAN.published_files(),
        stale=stale("summary", [f"{RESULTS}/summary.parquet", f"{RESULTS}/references.parquet"]),
    output:
        summary=f"{RESULTS}/summary.parquet",
        references=f"{RESULTS}/references.parquet",
    log:
        f"{RESULTS}/logs/summary.log",
    benchmark:
        f"{RESULTS}/benchmarks/summary.tsv"
    localrule: True
    params:
        job=job("summary"),
        files=files(unread=["published"]),
