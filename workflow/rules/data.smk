# Raw archive → arrays → splits.


rule archive:
    """Download an archive, or copy it from the mirror, and verify its checksum."""
    output:
        archive=f"{ARCHIVES}/{{dataset}}/{{archive}}",
        checksum=f"{ARCHIVES}/{{dataset}}/{{archive}}.sha256",
    log:
        f"{ARCHIVES}/{{dataset}}/{{archive}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/archive/{{dataset}}/{{archive}}.tsv"
    wildcard_constraints:
        archive=r"[^/]+(?<!\.sha256)",
    retries: 2
    localrule: True
    conda:
        ENVIRONMENT
    params:
        job=job("archive", by_dataset),
        files=files(),
    shell:
        RUN


rule images:
    """Read a data set to arrays, normalised as the paper has it, with a checksum per row."""
    input:
        archives=archive_files,
        # Not read as such: the step compares each archive with the checksum beside it.
        checksums=checksum_files,
        stale=stale("images", f"{RESULTS}/images/{{dataset}}/{ARRAY_FILES[-1]}", by_dataset),
    output:
        arrays=expand(f"{RESULTS}/images/{{{{dataset}}}}/{{file}}", file=ARRAY_FILES),
    log:
        f"{RESULTS}/logs/images/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/images/{{dataset}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        job=job("images", by_dataset),
        files=files(unread=["checksums"]),
    shell:
        RUN


rule split:
    """Draw the training set, the holdout and the test set of a normal class and seed, and what scales them."""
    input:
        arrays=image_files,
        stale=stale("split", f"{RESULTS}/splits/{{experiment}}/{{normal}}/seed-{{seed}}.parquet"),
    output:
        split=f"{RESULTS}/splits/{{experiment}}/{{normal}}/seed-{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/split/{{experiment}}/{{normal}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/split/{{experiment}}/{{normal}}/seed-{{seed}}.tsv"
    group:
        group_of_short
    conda:
        ENVIRONMENT
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    params:
        job=job("split"),
        files=files(),
    shell:
        RUN
