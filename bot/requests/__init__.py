"""What is asked for, from the words of a member to one frozen request; pure."""
