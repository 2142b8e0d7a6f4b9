# Split → autoencoder → fit → scores.


rule autoencoder:
    input:
        split=rules.split.output[0],
        images=image_files,
    output:
        weights=f"{RESULTS}/autoencoders/{{experiment}}/{{normal}}/seed-{{seed}}.npz",
    log:
        f"{RESULTS}/logs/autoencoder/{{experiment}}/{{normal}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/autoencoder/{{experiment}}/{{normal}}/seed-{{seed}}.tsv"
    conda:
        "../../envs/jobs.yaml"
    threads: CONFIG.threads
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 360 * attempt,
        gpu=CONFIG.gpus,
    params:
        settings=lambda wildcards: json.dumps(
            CONFIG.autoencoder_settings(wildcards.experiment, int(wildcards.seed)), sort_keys=True
        ),
        code=code("ocnn.steps.fit:pretrain"),
    shell:
        "python -m workflow.scripts.autoencoder --split {input.split:q} --images {input.images:q}"
        " --settings {params.settings:q} --threads {threads} --output {output.weights:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule fit:
    input:
        split=rules.split.output[0],
        images=image_files,
        autoencoder=autoencoder_file,
        damaged=force_if_damaged,
    output:
        f"{RESULTS}/scores/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/fit/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fit/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.tsv"
    group:
        group_of_short
    conda:
        "../../envs/jobs.yaml"
    threads: CONFIG.threads
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: (360 if CONFIG.trains_network(wildcards.method) else 60) * attempt,
        gpu=gpus_of_fit,
    params:
        estimator=lambda wildcards: CONFIG.estimator(wildcards.method),
        settings=lambda wildcards: json.dumps(
            CONFIG.settings(wildcards.experiment, wildcards.method, int(wildcards.seed)), sort_keys=True
        ),
        identity=lambda wildcards: json.dumps(
            {
                "experiment": wildcards.experiment,
                "normal": wildcards.normal,
                "method": wildcards.method,
                "seed": int(wildcards.seed),
            }
        ),
        code=lambda wildcards: code("ocnn.steps.fit:fit_method", CONFIG.estimator(wildcards.method)),
    shell:
        "python -m workflow.scripts.fit --estimator {params.estimator:q} --split {input.split:q}"
        " --images {input.images:q} --autoencoder {input.autoencoder:q} --settings {params.settings:q}"
        " --identity {params.identity:q} --threads {threads} --output {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"
