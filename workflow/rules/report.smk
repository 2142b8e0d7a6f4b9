# Scores → metrics → tables → figures.


localrules:
    consistency,
    metrics,
    table3,
    table4,
    attack_strength,
    attack_images,


rule metrics:
    input:
        fits(rules.fit.output[0]),
    output:
        f"{RESULTS}/metrics.parquet",
    log:
        f"{RESULTS}/logs/metrics.log",
    benchmark:
        f"{RESULTS}/benchmarks/metrics.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        # The paths of thousands of files do not fit into a command line; the grid names them.
        grid=json.dumps(GRID),
        scores=lambda wildcards: rules.fit.output[0],
        benchmarks=lambda wildcards: rules.fit.benchmark,
        code=code("ocnn.pipeline.report:collect_metrics"),
    shell:
        "python -m workflow.scripts.metrics --grid {params.grid:q} --scores {params.scores:q}"
        " --benchmarks {params.benchmarks:q} --output {output:q} > {log:q} 2>&1"
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
        grid=json.dumps(GRID),
        scores=lambda wildcards: rules.fit.output[0],
        code=code("ocnn.pipeline.report:make_consistency"),
    shell:
        "python -m workflow.scripts.consistency --grid {params.grid:q} --scores {params.scores:q}"
        " --output {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule table3:
    input:
        metrics=rules.metrics.output[0],
        published=CONFIG.published,
    output:
        csv=f"{RESULTS}/tables/table3.csv",
        markdown=f"{RESULTS}/tables/table3.md",
    log:
        f"{RESULTS}/logs/table3.log",
    benchmark:
        f"{RESULTS}/benchmarks/table3.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        datasets=json.dumps(published_datasets(attacked=False)),
        methods=json.dumps(CONFIG.published_methods()),
        code=code("ocnn.pipeline.report:make_table3"),
    shell:
        "python -m workflow.scripts.table3 --metrics {input.metrics:q} --published {input.published:q}"
        " --datasets {params.datasets:q} --methods {params.methods:q} --csv {output.csv:q} --markdown {output.markdown:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule table4:
    input:
        metrics=rules.metrics.output[0],
        records=attacks(rules.verify.output[0]),
        published=CONFIG.published,
    output:
        csv=f"{RESULTS}/tables/table4.csv",
        markdown=f"{RESULTS}/tables/table4.md",
    log:
        f"{RESULTS}/logs/table4.log",
    benchmark:
        f"{RESULTS}/benchmarks/table4.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        datasets=json.dumps(published_datasets(attacked=True)),
        methods=json.dumps(CONFIG.published_methods()),
        attacks=json.dumps(
            {
                name: {"attack": block.attack, "steps": block.steps, "held_out": block.held_out}
                for name, block in ATTACKED.items()
            }
        ),
        records=lambda wildcards: rules.verify.output[0],
        code=code("ocnn.pipeline.report:make_table4"),
    shell:
        "python -m workflow.scripts.table4 --metrics {input.metrics:q} --published {input.published:q}"
        " --datasets {params.datasets:q} --methods {params.methods:q} --attacks {params.attacks:q}"
        " --records {params.records:q} --csv {output.csv:q} --markdown {output.markdown:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule attack_strength:
    input:
        rules.table4.output.csv,
    output:
        expand(f"{RESULTS}/figures/attack_strength.{{suffix}}", suffix=["svg", "png"]),
    log:
        f"{RESULTS}/logs/attack_strength.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_strength.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        code=code("ocnn.pipeline.report:draw_attack_strength"),
    shell:
        "python -m workflow.scripts.attack_strength --table {input:q} --outputs {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"


rule attack_images:
    input:
        pixels=pixel_files,
        attack=rules.attack.output[0],
        record=rules.verify.output[0],
    output:
        expand(f"{RESULTS}/figures/attacks/{{{{attack}}}}-{{{{steps}}}}.{{suffix}}", suffix=["svg", "png"]),
    log:
        f"{RESULTS}/logs/attack_images/{{attack}}-{{steps}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/attack_images/{{attack}}-{{steps}}.tsv"
    conda:
        "../../envs/jobs.yaml"
    params:
        code=code("ocnn.pipeline.report:draw_adversarial_images"),
    shell:
        "python -m workflow.scripts.attack_images --pixels {input.pixels:q} --attack {input.attack:q}"
        " --record {input.record:q} --outputs {output:q} > {log:q} 2>&1"
        " || {{ tail -n 5 {log:q} >&2; exit 1; }}"
