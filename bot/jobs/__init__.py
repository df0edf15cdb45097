"""The life of a job: given, resolved, accepted, dispatched, delivered."""
