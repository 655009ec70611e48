"""A made-up site and its days, to see the program at work without ICE."""
