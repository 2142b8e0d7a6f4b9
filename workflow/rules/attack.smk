# Pixels → classifier → boundary attack, segment by segment → verified record and adversarial images.


use rule images as pixels with:
    """Read a data set to arrays of pixels from 0 to 1, as the attack and `pixels: scaled` take them."""
    input:
        archives=archive_files,
        checksums=checksum_files,
        stale=stale("pixels", f"{RESULTS}/pixels/{{dataset}}/{ARRAY_FILES[-1]}", by_dataset),
    output:
        arrays=expand(f"{RESULTS}/pixels/{{{{dataset}}}}/{{file}}", file=ARRAY_FILES),
    log:
        f"{RESULTS}/logs/pixels/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pixels/{{dataset}}.tsv"
    params:
        job=job("pixels", by_dataset),


rule classifier:
    """Train the classifier that is attacked."""
    input:
        pixels=pixel_files,
        stale=stale("classifier", [f"{RESULTS}/attacks/{{attack}}/classifier.{kind}" for kind in ("npz", "json")]),
    output:
        weights=f"{RESULTS}/attacks/{{attack}}/classifier.npz",
        record=f"{RESULTS}/attacks/{{attack}}/classifier.json",
    log:
        f"{RESULTS}/logs/classifier/{{attack}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/classifier/{{attack}}.tsv"
    conda:
        ENVIRONMENT
    threads: CONFIG.threads
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
        gpu=CONFIG.gpus,
    params:
        job=job("classifier"),
        files=files(),
    shell:
        RUN


use rule classifier as attack with:
    """Attack images of one class up to a number of steps, going on from the segment before."""
    input:
        pixels=pixel_files,
        weights=rules.classifier.output.weights,
        previous=previous_attack,
        stale=stale("attack", f"{RESULTS}/attacks/{{attack}}/steps-{{steps}}.npz"),
    output:
        attack=f"{RESULTS}/attacks/{{attack}}/steps-{{steps}}.npz",
    log:
        f"{RESULTS}/logs/attack/{{attack}}/steps-{{steps}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack/{{attack}}/steps-{{steps}}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
        gpu=CONFIG.gpus,
    params:
        job=job("attack"),


use rule attack as verify with:
    """Verify an attack: which images are misclassified, and how far each is from its source."""
    input:
        pixels=pixel_files,
        weights=rules.classifier.output.weights,
        attack=rules.attack.output.attack,
        stale=stale("verify", f"{RESULTS}/attacks/{{attack}}/steps-{{steps}}.parquet"),
    output:
        record=f"{RESULTS}/attacks/{{attack}}/steps-{{steps}}.parquet",
    log:
        f"{RESULTS}/logs/verify/{{attack}}/steps-{{steps}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/verify/{{attack}}/steps-{{steps}}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        job=job("verify"),


use rule images as adversarial_images with:
    """Write the arrays of an experiment on verified adversarial images."""
    input:
        pixels=pixel_files,
        attack=rules.attack.output.attack,
        # Not read, but no image is used before it was verified.
        verified=rules.verify.output.record,
        stale=stale(
            "adversarial_images",
            f"{RESULTS}/images/{{attack}}-{{steps}}-{{scoring}}/{ARRAY_FILES[-1]}",
            by_experiment,
        ),
    output:
        arrays=expand(f"{RESULTS}/images/{{{{attack}}}}-{{{{steps}}}}-{{{{scoring}}}}/{{file}}", file=ARRAY_FILES),
    log:
        f"{RESULTS}/logs/images/{{attack}}-{{steps}}-{{scoring}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/images/{{attack}}-{{steps}}-{{scoring}}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        job=job("adversarial_images", by_experiment),
        files=files(unread=["verified"]),
