"""A small, real Django project with leased background jobs: the correct system under test.

It carries the names of the deployed system that the gate report describes.  Of its correct code only
``binding.py`` knows that it is being verified.
"""
