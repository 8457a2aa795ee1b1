"""The command line: a file a verb, arguments in, exit code out."""
