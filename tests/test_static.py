"""Static files and templates: vendored as the lock says, and nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "templates").rglob("*.html"))
OURS = sorted([*(ROOT / "static" / "js").glob("*.js"), *(ROOT / "static" / "css").glob("*.css")])


def test_vendored_files_are_what_the_lock_says():
    subprocess.run([sys.executable, str(ROOT / "static" / "vendor.py"), "--check"], check=True, capture_output=True)


@pytest.mark.parametrize("file", [*PAGES, *OURS], ids=lambda file: file.name)
def test_nothing_is_fetched_from_elsewhere(file):
    text = file.read_text()
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|@import\s+url|url\(\s*["']?(?:https?:)?//""", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_has_inline_script_or_style(page):
    text = re.sub(r"{%.*?%}|{{.*?}}", "", page.read_text(), flags=re.DOTALL)
    assert not re.search(r"<[^>]*\s(?:on\w+|style)\s*=", text)
    for tag in re.findall(r"<script\b[^>]*>|<style\b[^>]*>", text):
        assert "src=" in tag or 'type="application/json"' in tag
