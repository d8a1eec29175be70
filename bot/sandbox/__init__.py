"""Loopback stand-ins for the outside world, for the demo and the tests: nothing leaves the machine."""
