"""The domain's rules: pure, the time passed in."""
