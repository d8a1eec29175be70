"""Whether the daemon is well, for orchestrators and monitoring: /healthz, /readyz and /metrics.

Loaded only where `[http] listen` is set, because the Prometheus client behind it takes a while.
"""
