"""`easel hosts` and `easel worker`: the owner's commands for GPU hosts."""
