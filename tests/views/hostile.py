"""Text that wants to be more than text: what a label, an alert or a container name may hold."""

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;"
CONTROLS = "a\x00b\x1b[31mc\x07d"
BIDI = "safe\u202egnp.exe\u2066\u200f"
MATHS = r"$\frac{1}{0}$ costs $5 **bold** `code` [link](http://example.org) \input{x}"
LONG = "x" * 10_000
LONG_WORDS = "genesis_tests_total{job=~'a|b'} / " * 300
LONE_SURROGATE = "half a pair \ud800"
OTHER_SCRIPTS = "健康 \N{HOT BEVERAGE} مرحبا"

ALL = (MARKUP, CONTROLS, BIDI, MATHS, LONG, LONG_WORDS, LONE_SURROGATE, OTHER_SCRIPTS)
