"""What all hosts share of HTTP, with no framework in it: a request in, a response out."""
