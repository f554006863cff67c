"""The words Doorward is written in, and the machine that decides who is let in."""
