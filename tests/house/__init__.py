"""The house rules, as tests: sizes, sentences, names, documents."""
