"""Will it work here, and if not, what is to be done: many small probes, one table of findings (`wortlaut doctor`)."""
