"""The record of every contact, in PostgreSQL."""
