"""What is wrong with a query whatever the data."""
