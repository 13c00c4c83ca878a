"""Experiments with faults that happen: processes that are killed, disks that are full, files that are damaged."""
