"""The five health checks: each asks for its own facts, and adds up to one finding."""
