"""Tests, on real parts wherever they can be had."""
