#!/usr/bin/env python
"""Django's command line for breachportal."""

from breachportal.command import main

if __name__ == "__main__":
    main()
