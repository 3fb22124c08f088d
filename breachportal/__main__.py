from breachportal.command import main

main()
