"""Tests of pictures and transforms."""
