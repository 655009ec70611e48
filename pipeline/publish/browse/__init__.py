"""The history in Datasette: descriptions, recipes, pages for agreements and agencies, Atom."""
