"""HTTP to wolkvox: what a connection says, one exchange done right, and the API's requests."""
