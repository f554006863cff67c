"""The standalone server and its command line: `doorward serve`, and what an operator needs beside it."""
