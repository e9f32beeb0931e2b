"""What is measured against yardsticks: each module has `main(arguments) -> exit code` and prints a table."""
