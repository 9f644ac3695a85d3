"""What an instance is told: its home, its settings. Stands on nothing of ours."""
