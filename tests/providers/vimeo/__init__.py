"""Tests of Vimeo, against a stand-in on loopback."""
