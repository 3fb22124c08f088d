"""The patterns of domains and e-mail addresses in a pasted text."""

import re

# The last label of a domain, in letters of any script. Hangul is limited to real top-level domains,
# because Korean particles follow an address without a space.
_TOP = r"(?:[^\W\d_가-힣]{2,24}|xn--[a-z0-9-]{2,59}|한국|닷컴|닷넷)"
DOMAIN = rf"(?:[\w-]{{1,63}}\.){{1,30}}{_TOP}(?![0-9A-Za-z_-])"
EMAIL = re.compile(
    rf"(?<![\w.!#$%&'*+/=?^`{{|}}~-])[\w.!#$%&'*+/=?^`{{|}}~-]{{1,64}}@{DOMAIN}", re.IGNORECASE
)
