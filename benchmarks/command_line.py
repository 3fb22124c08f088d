"""The command line of the benchmarks that take their options from the environment."""

import argparse


def read_command_line(documentation: str | None) -> None:
    """Prints the module's documentation for --help. Exits with 2 for any other argument."""
    shape = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=documentation, formatter_class=shape).parse_args()
