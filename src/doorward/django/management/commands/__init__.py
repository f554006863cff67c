"""One file a command; its name is what one types."""
