"""Questions that are put as objects and never stored: who am I, may I, whose token is this."""
