"""Every module says in one sentence what it is for, and every room states its rule."""

import ast

from tests.house.tree import FLOORS, PACKAGES, ROOT, modules, tree


def _opening(path):
    """The first paragraph of the module's docstring, on one line."""
    docstring = ast.get_docstring(tree(path)) or ""
    return " ".join(docstring.split("\n\n")[0].split())


def test_every_module_opens_with_a_sentence():
    wrong = {str(path): _opening(path) for path in modules() if not _opening(path).endswith((".", "?", "!"))}
    assert wrong == {}


def test_no_module_sentence_is_a_placeholder():
    short = {str(path): _opening(path) for path in modules() if len(_opening(path).split()) < 4}
    assert short == {}


def test_every_folder_of_code_is_a_package_whose_init_states_its_rule():
    folders = {path.parent for path in modules(*PACKAGES)}
    missing = [str(folder) for folder in sorted(folders) if not (ROOT / folder / "__init__.py").is_file()]
    assert missing == []


def test_the_rooms_of_the_three_floors_hold_little_code_in_their_init():
    full = []
    for path in modules(*FLOORS):
        if path.name == "__init__.py" and any(isinstance(node, ast.ClassDef) for node in ast.walk(tree(path))):
            full.append(str(path))
    assert full == []
