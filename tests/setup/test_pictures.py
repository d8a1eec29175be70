"""The pictures in the documents show what Slack shows today."""

from __future__ import annotations

import json
import re

import pytest

from pictures import PICTURES, ROOT, digest, drawn, files, shown
from pictures.chromium import Chromium, ChromiumFailed


def test_every_picture_was_drawn_from_its_snapshot_as_it_is_now() -> None:
    stale = [name for name, source in drawn().items() if source != digest(name)]
    assert not stale, f"run ./run pictures: {', '.join(stale)} looks different now"


def test_every_snapshot_that_is_to_be_shown_is_and_no_picture_is_of_unknown_origin() -> None:
    missing = set(shown()) - set(drawn())
    assert not missing, f"run ./run pictures: {', '.join(missing)} is not drawn yet"
    assert set(PICTURES.glob("*.png")) == {file for name in drawn() for file in files(name)}


def test_every_picture_that_the_documents_show_is_there() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"""(?:src|srcset)=["']([^"':]+)["']""", page.read_text()):
            assert (page.parent / target).is_file(), f"{page.name} shows {target}"


def test_a_machine_without_chromium_is_told_how_to_get_it(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ChromiumFailed, match=r"apt install chromium$"), Chromium.started():
        pass


@pytest.mark.parametrize("folder", ["pictures", ".ci/types"])
def test_the_lock_of_npm_packages_is_exact_and_names_no_host_to_fetch_them_from(folder) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    wanted = json.loads((ROOT / folder / "package.json").read_text())["dependencies"]
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert all("integrity" in one and "resolved" not in one for one in packages.values())
    assert wanted == {name: packages[f"node_modules/{name}"]["version"] for name in wanted}
