"""Run notebooks by papermill, and make of a run what people and machines read."""
