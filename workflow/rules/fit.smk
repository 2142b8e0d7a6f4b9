# Split → autoencoder → fit → scores.


rule autoencoder:
    """Train the autoencoder of a split, which its deep methods share."""
    input:
        split=rules.split.output.split,
        arrays=image_files,
        stale=stale("autoencoder", f"{RESULTS}/autoencoders/{{experiment}}/{{normal}}/seed-{{seed}}.npz"),
    output:
        weights=f"{RESULTS}/autoencoders/{{experiment}}/{{normal}}/seed-{{seed}}.npz",
    log:
        f"{RESULTS}/logs/autoencoder/{{experiment}}/{{normal}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/autoencoder/{{experiment}}/{{normal}}/seed-{{seed}}.tsv"
    conda:
        ENVIRONMENT
    threads: CONFIG.threads
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 360 * attempt,
        gpu=CONFIG.gpus,
    params:
        job=job("autoencoder"),
        files=files(),
    shell:
        RUN


use rule autoencoder as fit with:
    """Fit a method to a split, and score every sample."""
    input:
        split=rules.split.output.split,
        arrays=image_files,
        autoencoder=autoencoder_file,
        stale=stale("fit", f"{RESULTS}/scores/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.parquet"),
    output:
        scores=f"{RESULTS}/scores/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/fit/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fit/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.tsv"
    group:
        group_of_short
    resources:
        mem_mb=lambda wildcards, attempt: resources(wildcards.method)["memory"] * attempt,
        runtime=lambda wildcards, attempt: resources(wildcards.method)["minutes"] * attempt,
        gpu=lambda wildcards: resources(wildcards.method)["gpus"],
    params:
        job=job("fit"),
