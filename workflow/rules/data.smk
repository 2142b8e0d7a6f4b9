# Raw archive → arrays → splits.


localrules:
    archive,


rule archive:
    output:
        archive=f"{CONFIG.archives}/{{dataset}}/{{archive}}",
        checksum=f"{CONFIG.archives}/{{dataset}}/{{archive}}.sha256",
    log:
        f"{CONFIG.archives}/{{dataset}}/{{archive}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/archive/{{dataset}}/{{archive}}.tsv"
    wildcard_constraints:
        archive=r"[^/]+(?<!\.sha256)",
    retries: 2
    conda:
        ENVIRONMENT
    params:
        job=job("archive", by_dataset),
        files=files(),
    shell:
        RUN


rule images:
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
