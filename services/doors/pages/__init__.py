"""Pages: the templates, the layout, sign-in, static files. Readable without scripts; nothing from another host."""
