"""The dataset doctor: reads training data of any usual form, and measures what is wrong with its records.

sources → lines → records → schema → survey; `duplicates` finds texts that are nearly the same. Nothing here judges or speaks:
causes have names, rules have the words.
"""
