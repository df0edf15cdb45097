"""The message of a job, from its first state to its last, with the finished files in it."""
