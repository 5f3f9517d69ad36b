"""Objectives: what is asked of them, their status, error budgets and burn rates. Pure but for one gather."""
