"""Turn results into figures and tables that people read; nothing here computes a verdict."""
