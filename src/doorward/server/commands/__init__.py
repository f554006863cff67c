"""One module for each command, named like it; each is loaded when its command runs."""
