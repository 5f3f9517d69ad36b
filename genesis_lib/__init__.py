"""Genesis readiness: prove, and do not merely assert, that a service is ready for production."""

__all__ = ["__version__"]

__version__ = "0.1.0"
