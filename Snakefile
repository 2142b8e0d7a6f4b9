# So that `snakemake --cores 8` works from here; the workflow itself stands in workflow/.
include: "workflow/Snakefile"


rule default:
    """Make everything that the configuration asks for."""
    default_target: workflow.default_target is None
    input:
        rules.all.input,
