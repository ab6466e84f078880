"""The warehouse: its query, its rows, the table of results, and what a trigger asks it."""
