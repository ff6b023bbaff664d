"""Real origins, real clients and the real daemon, as a small vocabulary for tests."""
