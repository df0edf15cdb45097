"""The life of a job: accepted, dispatched, stored and delivered."""
