"""The docs as a site, by Sphinx: `make site`. A link that leads nowhere is an error."""

project = "wolkvox-codify"
extensions = ["myst_parser", "sphinxcontrib.mermaid"]
root_doc = "docs/index"
include_patterns = ["README.md", "README.es.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md"]
html_theme = "furo"
html_title = "wolkvox-codify"
html_show_sphinx = False
html_show_copyright = False
myst_heading_anchors = 4  # links to a heading, as GitHub makes them
myst_fence_as_directive = ["mermaid"]
nitpicky = True
