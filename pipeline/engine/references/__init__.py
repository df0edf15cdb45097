"""Pictures as references beside the prompt (IP-Adapter), row by row and without a change of the network."""
