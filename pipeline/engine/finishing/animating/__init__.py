"""The ends of jobs that become animations."""
