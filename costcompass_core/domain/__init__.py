"""Pure values and rules: no I/O, no clock, no logging. Moments and days come in as arguments."""
