"""What a run says on the terminal: live where it is one, plain lines elsewhere."""
