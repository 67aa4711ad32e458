"""Dashboards, and what they are written from."""
