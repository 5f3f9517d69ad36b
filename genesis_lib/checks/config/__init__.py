"""Configuration files, and how they differ from what runs."""
