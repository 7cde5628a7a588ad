"""A derivation as a document that a teacher hands out: text in two languages, figures, exercises, and seven formats."""
