"""The tests mirror the tree, and the package carries what it needs."""

import tomllib

from tests.house.tree import FLOORS, PACKAGES, ROOT, files, modules


def _rooms():
    """Each room that holds more than its rule."""
    return sorted({path.parts[:2] for path in modules(*FLOORS) if len(path.parts) > 2 and path.name != "__init__.py"})


def test_every_room_with_code_has_a_folder_of_tests():
    tested = {path.parent.parts[1:] for path in modules("tests") if path.name.startswith("test_")}
    flat = {part for folder in tested for part in folder}
    assert [f"{floor}/{room}" for floor, room in _rooms() if room not in flat] == []


def test_every_test_module_lies_in_a_folder_and_is_collected():
    loose = [str(path) for path in modules("tests") if len(path.parts) == 2 and path.name.startswith("test_")]
    assert loose == []


def test_the_package_ships_every_floor_and_its_data():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    assert tuple(wheel["packages"]) == PACKAGES
    data = [path for path in files() if path.parts[0] in PACKAGES and path.suffix != ".py"]
    assert {path.suffix for path in data} >= {".csv"}
