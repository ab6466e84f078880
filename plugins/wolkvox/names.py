"""Names that others rely on."""

DAG_ID = "wolkvox_codify"
