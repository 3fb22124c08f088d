"""The fonts in the repository are those that README.md names."""

import hashlib
import re
from pathlib import Path

FONTS = Path(__file__).parents[2] / "foundations" / "fonts"
README = (FONTS / "README.md").read_text(encoding="utf-8")


def test_the_fonts_and_their_licence_have_their_checksums():
    lines = (FONTS / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split() for line in lines)}
    assert {font.name for font in FONTS.glob("Noto*")} | {"LICENSE"} == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((FONTS / name).read_bytes()).hexdigest() == digest


def test_the_font_is_the_blob_of_the_named_commit():
    content = (FONTS / "NotoSansKR-Regular.otf").read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    assert f"`{blob}`" in README
    assert re.search(r"commit `[0-9a-f]{40}`", README)


def test_the_licence_is_the_open_font_license():
    assert "SIL Open Font License" in (FONTS / "LICENSE").read_text(encoding="utf-8")
