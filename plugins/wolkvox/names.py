"""Names that others rely on."""

DAG_ID = "wolkvox_codify"
POOL = "wolkvox takes two requests at a time per token"  # what a pool of ours says of itself
