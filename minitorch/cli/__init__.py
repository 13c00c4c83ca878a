"""The commands of the console command `minitorch`, one file each; `main` chooses one."""
