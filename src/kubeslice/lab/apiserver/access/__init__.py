"""Role-based access control: rules and how they cover each other, the roles every cluster begins with, escalation."""
