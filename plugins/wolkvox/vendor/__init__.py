"""HTTP to wolkvox: a connection's settings, its session, one exchange done right, and the API's requests."""
