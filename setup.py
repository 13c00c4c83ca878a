"""Lets tools that look for setup.py find the project; pyproject.toml holds everything."""

from setuptools import setup

setup()
