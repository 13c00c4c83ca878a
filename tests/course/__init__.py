"""The course: its tasks, the student's folder, and what runs it."""
