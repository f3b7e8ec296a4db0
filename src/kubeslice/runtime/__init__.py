"""What every long-running process needs: controllers, one task group, health and metrics, settings, logs, a clock."""
