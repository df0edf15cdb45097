"""What computes: the device, its precision, its accelerators, and the work beside the steps."""
