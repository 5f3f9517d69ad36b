"""The parts of telemetry: what is recorded and under which names, how Prometheus reads it, how a trace crosses HTTP."""
