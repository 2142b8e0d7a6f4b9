# Pixels → classifier → boundary attack, segment by segment → verified record and adversarial images.


rule pixels:
    input:
        archives=archive_files,
        checksums=checksum_files,
    output:
        expand(f"{RESULTS}/pixels/{{{{dataset}}}}/{{file}}", file=ARRAY_FILES),
    log:
        f"{RESULTS}/logs/pixels/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pixels/{{dataset}}.tsv"
    conda:
        "../../envs/jobs.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        dataset=lambda wildcards: CONFIG.dataset_path(DATASETS[wildcards.dataset]),
        code=lambda wildcards: code(
            "ocnn.steps.data:prepare_pixels", CONFIG.dataset_path(DATASETS[wildcards.dataset])
        ),
    shell:
        "python -m workflow.scripts.pixels --dataset {params.dataset:q} --archives {input.archives:q} --outputs {output:q}"
        " > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule classifier:
    input:
        pixels=pixel_files,
    output:
        weights=f"{RESULTS}/attacks/{{attack}}/classifier.npz",
        record=f"{RESULTS}/attacks/{{attack}}/classifier.json",
    log:
        f"{RESULTS}/logs/classifier/{{attack}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/classifier/{{attack}}.tsv"
    conda:
        "../../envs/jobs.yaml"
    threads: CONFIG.threads
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
        gpu=CONFIG.gpus,
    params:
        dataset=lambda wildcards: CONFIG.dataset_path(CONFIG.attacks[wildcards.attack].dataset),
        settings=lambda wildcards: json.dumps(CONFIG.attacks[wildcards.attack].classifier.model_dump(), sort_keys=True),
        code=code("ocnn.steps.attack:fit_classifier"),
    shell:
        "python -m workflow.scripts.classifier --dataset {params.dataset:q} --pixels {input.pixels:q}"
        " --settings {params.settings:q} --threads {threads} --weights {output.weights:q} --record {output.record:q}"
        " > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule attack:
    input:
        pixels=pixel_files,
        weights=rules.classifier.output.weights,
        previous=previous_attack,
    output:
        f"{RESULTS}/attacks/{{attack}}/steps-{{steps}}.npz",
    log:
        f"{RESULTS}/logs/attack/{{attack}}/steps-{{steps}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack/{{attack}}/steps-{{steps}}.tsv"
    conda:
        "../../envs/jobs.yaml"
    threads: CONFIG.threads
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
        gpu=CONFIG.gpus,
    params:
        dataset=lambda wildcards: CONFIG.dataset_path(CONFIG.attacks[wildcards.attack].dataset),
        settings=lambda wildcards: attack_settings(wildcards, "images", "seed"),
        code=code("ocnn.steps.attack:attack_images"),
    shell:
        "python -m workflow.scripts.attack --dataset {params.dataset:q} --pixels {input.pixels:q}"
        " --weights {input.weights:q} --previous {input.previous:q} --steps {wildcards.steps}"
        " --settings {params.settings:q} --threads {threads} --output {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule verify:
    input:
        pixels=pixel_files,
        weights=rules.classifier.output.weights,
        attack=rules.attack.output[0],
    output:
        f"{RESULTS}/attacks/{{attack}}/steps-{{steps}}.parquet",
    log:
        f"{RESULTS}/logs/verify/{{attack}}/steps-{{steps}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/verify/{{attack}}/steps-{{steps}}.tsv"
    conda:
        "../../envs/jobs.yaml"
    threads: CONFIG.threads
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        dataset=lambda wildcards: CONFIG.dataset_path(CONFIG.attacks[wildcards.attack].dataset),
        settings=lambda wildcards: attack_settings(wildcards),
        code=code("ocnn.steps.attack:verify_attack"),
    shell:
        "python -m workflow.scripts.verify --dataset {params.dataset:q} --pixels {input.pixels:q}"
        " --weights {input.weights:q} --attack {input.attack:q} --settings {params.settings:q} --threads {threads}"
        " --output {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule adversarial_images:
    input:
        pixels=pixel_files,
        attack=rules.attack.output[0],
        # Not read, but no image is used before it was verified.
        verified=rules.verify.output[0],
    output:
        expand(f"{RESULTS}/images/{{{{attack}}}}-{{{{steps}}}}-{{{{scoring}}}}/{{file}}", file=ARRAY_FILES),
    log:
        f"{RESULTS}/logs/images/{{attack}}-{{steps}}-{{scoring}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/images/{{attack}}-{{steps}}-{{scoring}}.tsv"
    conda:
        "../../envs/jobs.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        dataset=lambda wildcards: json.dumps(
            ADVERSARIAL[f"{wildcards.attack}-{wildcards.steps}-{wildcards.scoring}"], sort_keys=True
        ),
        code=code("ocnn.steps.data:prepare_images", "ocnn.data.adversarial:adversarial_dataset"),
    shell:
        "python -m workflow.scripts.images --dataset {params.dataset:q} --archives {input.pixels:q}"
        " --attack {input.attack:q} --outputs {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"
