"""Settings of the documentation's site, which `make docs` builds from the pages and the docstrings."""

from pygments.lexers.python import PythonLexer
from sphinx.highlighting import lexers

from ocnn import __version__

project = "ocnn"
author = "the authors of ocnn"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
# The source is the whole repository, so that pages may link to files anywhere in it.
root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/**",
    "config/README.md",
    "benchmarks/README.md",
]
exclude_patterns = ["docs/conf.py"]
html_theme = "furo"
html_title = "ocnn: one-class neural networks, measured"
# Docstrings are Google's style, with code between single backticks.
default_role = "code"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_use_rtype = False
# Links to headings, as GitHub makes their anchors.
myst_heading_anchors = 4
# Pygments does not know Snakefiles; most of one is Python.
lexers["snakemake"] = PythonLexer(ensurenl=False)
