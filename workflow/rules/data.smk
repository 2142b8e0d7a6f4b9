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
        "../../envs/jobs.yaml"
    params:
        dataset=lambda wildcards: CONFIG.dataset_path(DATASETS[wildcards.dataset]),
    shell:
        "python -m workflow.scripts.archive --dataset {params.dataset:q} --archive {wildcards.archive:q}"
        " --output {output.archive:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule images:
    input:
        archives=archive_files,
        checksums=checksum_files,
    output:
        expand(f"{RESULTS}/images/{{{{dataset}}}}/{{file}}", file=ARRAY_FILES),
    log:
        f"{RESULTS}/logs/images/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/images/{{dataset}}.tsv"
    conda:
        "../../envs/jobs.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        dataset=lambda wildcards: json.dumps({"dataset": CONFIG.dataset_path(DATASETS[wildcards.dataset])}),
        code=lambda wildcards: code(
            "ocnn.steps.data:prepare_images", CONFIG.dataset_path(DATASETS[wildcards.dataset])
        ),
    shell:
        "python -m workflow.scripts.images --dataset {params.dataset:q} --archives {input.archives:q} --outputs {output:q}"
        " > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule split:
    input:
        images=image_files,
    output:
        f"{RESULTS}/splits/{{experiment}}/{{normal}}/seed-{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/split/{{experiment}}/{{normal}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/split/{{experiment}}/{{normal}}/seed-{{seed}}.tsv"
    group:
        group_of_short
    conda:
        "../../envs/jobs.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    params:
        dataset=lambda wildcards: json.dumps(CONFIG.dataset_specification(wildcards.experiment), sort_keys=True),
        contamination=lambda wildcards: CONFIG.experiments[wildcards.experiment].contamination,
        holdout=lambda wildcards: CONFIG.experiments[wildcards.experiment].holdout,
        code=code("ocnn.steps.data:make_split"),
    shell:
        "python -m workflow.scripts.split --dataset {params.dataset:q} --images {input.images:q}"
        " --normal {wildcards.normal:q} --contamination {params.contamination} --holdout {params.holdout}"
        " --seed {wildcards.seed} --output {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"
