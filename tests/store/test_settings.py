"""The settings: from the environment, explained without secrets, refused by the name of the variable."""

from pathlib import Path

import pytest

from events.errors import Invalid
from services.settings import Settings, default_data_dir, explain, load


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the tests holds none of ours."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LODESTONE_{name.upper()}", raising=False)


def test_the_defaults_work_without_any_environment() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.url) == ("127.0.0.1", 8600, "http://127.0.0.1:8600")
    assert settings.database_url is None
    assert settings.data_dir == default_data_dir()


def test_what_the_environment_says_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LODESTONE_PORT", "9000")
    monkeypatch.setenv("LODESTONE_DATA_DIR", "/srv/lodestone")
    monkeypatch.setenv("LODESTONE_PUBLIC_URL", "https://specs.example/")
    settings = load()
    assert (settings.port, settings.data_dir, settings.url) == (
        9000,
        Path("/srv/lodestone"),
        "https://specs.example",
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LODESTONE_PORT", "http"),
        ("LODESTONE_PORT", "70000"),
        ("LODESTONE_MAX_BODY_BYTES", "0"),
        ("LODESTONE_WAIT_S", "-1"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Invalid, match=variable) as refused:
        load()
    assert "\n" not in refused.value.detail


def test_each_setting_is_explained_with_its_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LODESTONE_PORT", "9000")
    rows = {row.name: row for row in explain(load())}
    assert set(rows) == {f"LODESTONE_{name.upper()}" for name in Settings.model_fields}
    assert (rows["LODESTONE_PORT"].value, rows["LODESTONE_PORT"].origin) == ("9000", "environment")
    assert (rows["LODESTONE_HOST"].value, rows["LODESTONE_HOST"].origin) == ("127.0.0.1", "default")
    assert all(row.description for row in rows.values())


@pytest.mark.parametrize("variable", ["LODESTONE_DATABASE_URL", "LODESTONE_DATABASE_OWNER_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://service:hunter2@db/lodestone",
        "postgresql://db/lodestone?user=service&password=hunter2",
        "postgresql://service:hun%40ter2hunter2@db:5432/lodestone?sslmode=require",
        "postgres//service:hunter2@db/lodestone",
        "host=db user=service password=hunter2",
        "postgresql://service:hunter2@db:port/lodestone",
    ],
)
def test_a_password_is_never_shown_however_the_url_is_written(
    monkeypatch: pytest.MonkeyPatch, variable: str, url: str
) -> None:
    monkeypatch.setenv(variable, url)
    (row,) = (row for row in explain(load()) if row.name == variable)
    assert "hunter2" not in row.value
    assert row.value
