"""Everything that changes the world, opt-in and recorded."""
