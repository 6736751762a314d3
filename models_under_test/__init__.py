"""A small, real Django project with leased background jobs: the correct system under test.

Its names are those of the deployed system that it stands for.  Of its correct code only ``binding.py`` and
``fleets.py`` know that it is being verified.
"""
