"""A soak: the real daemon lives simulated weeks among random faults; then figures and verdicts."""
