"""CostCompass's core: what LLM calls cost, read exactly, kept exactly, told exactly."""

__version__ = "0.1.0"
