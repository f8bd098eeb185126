"""Mutation testing: do the tests notice when a line is wrong?"""
