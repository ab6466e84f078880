"""Names that others rely on."""

DAG_ID = "wolkvox_codify"
POOL_DESCRIPTION = "wolkvox takes two requests at a time per token"
