"""How the pages in this folder become a website (make docs), without any request to a network."""

project = "Aftermap"
extensions = ["myst_parser"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "Aftermap"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
nitpicky = True
