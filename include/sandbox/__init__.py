"""A stand-in for the wolkvox Manager API that enforces what the vendor documents."""
