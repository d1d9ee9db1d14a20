"""Searching customers by the words of company, person, e-mail address, id in another system and key."""

from portal.customers.models import Customer
from portal.word_search import WordIndex

matches = WordIndex("customer", Customer.uuid, Customer.name_words).matches
"""The SQL condition that each word of a text begins one of the customer's words."""
