# So that `snakemake --cores 8` works from here; the workflow itself stands in workflow/.
include: "workflow/Snakefile"


rule default:
    default_target: True
    input:
        rules.all.input,
