"""The course: its tasks, the reference solutions in `solved`, and what makes and checks a student's folder."""
