# Raw archive → arrays → splits.


def archive_files(wildcards):
    """The archives of a data set, where the workflow keeps them."""
    dataset = load_dataset(DATASETS[wildcards.dataset])
    return [f"{CONFIG.archives}/{dataset.name}/{archive.name}" for archive in dataset.archives]


def missing_archives(dataset):
    """What stands in the way of making a data set's arrays, one sentence a fault."""
    source = load_dataset(DATASETS[dataset])
    if all(Path(RESULTS, "images", dataset, file).is_file() for file in IMAGE_FILES):
        return []
    needed = [a for a in source.archives if not Path(CONFIG.archives, dataset, a.name).is_file()]
    return check_available(dataset, needed, CONFIG.mirror_folder())


localrules:
    archive,


rule archive:
    output:
        f"{CONFIG.archives}/{{dataset}}/{{archive}}",
    params:
        dataset=lambda wildcards: CONFIG.dataset_path(DATASETS[wildcards.dataset]),
    log:
        f"{CONFIG.archives}/{{dataset}}/{{archive}}.log",
    retries: 2
    shell:
        "python {SCRIPTS:q}/archive.py --dataset {params.dataset:q} --archive {wildcards.archive:q}"
        " --output {output:q} > {log:q} 2>&1 || {{ cat {log:q} >&2; exit 1; }}"


rule images:
    input:
        archive_files,
    output:
        expand(f"{RESULTS}/images/{{{{dataset}}}}/{{file}}", file=IMAGE_FILES),
    params:
        dataset=lambda wildcards: CONFIG.dataset_path(DATASETS[wildcards.dataset]),
        code=lambda wildcards: code("ocnn.pipeline:prepare_images", CONFIG.dataset_path(DATASETS[wildcards.dataset])),
    log:
        f"{RESULTS}/logs/images/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/images/{{dataset}}.tsv"
    resources:
        mem_mb=4000,
        runtime=10,
    shell:
        "python {SCRIPTS:q}/images.py --dataset {params.dataset:q} --archives {input:q} --outputs {output:q}"
        " > {log:q} 2>&1"


rule split:
    input:
        images=image_files,
    output:
        f"{RESULTS}/splits/{{experiment}}/{{normal}}/seed-{{seed}}.parquet",
    params:
        dataset=lambda wildcards: CONFIG.dataset_path(CONFIG.experiments[wildcards.experiment].dataset),
        contamination=lambda wildcards: CONFIG.experiments[wildcards.experiment].contamination,
        holdout=lambda wildcards: CONFIG.experiments[wildcards.experiment].holdout,
        code=code("ocnn.pipeline:make_split"),
    log:
        f"{RESULTS}/logs/split/{{experiment}}/{{normal}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/split/{{experiment}}/{{normal}}/seed-{{seed}}.tsv"
    resources:
        mem_mb=2000,
        runtime=5,
    shell:
        "python {SCRIPTS:q}/split.py --dataset {params.dataset:q} --images {input.images:q}"
        " --normal {wildcards.normal:q} --contamination {params.contamination} --holdout {params.holdout}"
        " --seed {wildcards.seed} --output {output:q} > {log:q} 2>&1"
