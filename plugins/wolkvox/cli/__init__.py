"""The commands of ``python -m wolkvox``: a module each, whose ``run`` prints and returns the exit status."""
