"""What an installation can do, one file for each capability."""
