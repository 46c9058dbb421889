# SPDX-License-Identifier: Apache-2.0
"""Lists of bugs to plant, and tables of how they were found: what the lists of all parts have in common.

A list is blocks of `mutant NAME`, `file FILE`, maybe `equivalent WHY`, `- TEXT`, `+ TEXT`. The text to replace is in the
file exactly once; between the marks « and » lies the part of it that is replaced, without marks all of it is."""

import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Mutant:
    def __init__(self, name, file, equivalent, old, new):
        self.name, self.file, self.new = name, file, new
        # Why no program can tell it from the sound one, or None.
        self.equivalent = equivalent
        before, mark, rest = old.partition("«")
        inside, _, after = rest.partition("»")
        self.whole = before + inside + after if mark else old
        self.old = inside if mark else old
        self.offset = len(before) if mark else 0

    def misfit(self, text):
        """What is wrong with it beside this text, or None."""
        if text.count(self.whole) != 1:
            return f"{self.file} has the text {text.count(self.whole)} times, not once: {self.whole.splitlines()[0]}"
        return None

    def span(self, text):
        start = text.index(self.whole) + self.offset
        return start, start + len(self.old)

    def apply(self, root):
        """Answers what is wrong with it, or None."""
        path = root / self.file
        text = path.read_text()
        wrong = self.misfit(text)
        if wrong:
            return wrong
        self.original = text
        start, end = self.span(text)
        path.write_text(text[:start] + self.new + text[end:])
        return None

    def revert(self, root):
        (root / self.file).write_text(self.original)


def load(path):
    mutants = []
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.M)
    for block in re.split(r"\n(?=mutant )", text.strip()):
        match = re.fullmatch(r"mutant ([^\n]*)\nfile ([^\n]*)\n(?:equivalent (.*?)\n)?- (.*)\n\+ ?(.*)", block.strip("\n"),
                             flags=re.S)
        if not match:
            sys.exit(f"{path.name}: not a mutant: {block[:80]!r}")
        mutants.append(Mutant(*match.groups()))
    return mutants


def check(mutants):
    """Whether a list still fits the sources."""
    wrong = [f"{m.name}: {misfit}" for m in mutants if (misfit := m.misfit((ROOT / m.file).read_text()))]
    names = [m.name for m in mutants]
    wrong += [f"two mutants have the name {name}" for name in sorted({n for n in names if names.count(n) > 1})]
    for line in wrong:
        print(line)
    told = sum(not m.equivalent for m in mutants)
    print(f"{len(mutants)} mutants, {told} that programs can tell, {len(wrong)} that do not fit the sources")
    return 1 if wrong else 0


def _switched(text, start, end, spans, choice):
    """The text of a span with all its mutants, those inside it included."""
    inner = [s for s in spans if (s[0], s[1]) != (start, end) and start <= s[0] and s[1] <= end]
    result, at = "", start
    for child in sorted({(s[0], s[1]) for s in inner}, key=lambda s: (s[0], -s[1])):
        if child[0] < at:
            continue  # inside one that is done
        result += text[at:child[0]] + _switched(text, *child, inner, choice)
        at = child[1]
    result += text[at:end]
    for _, _, number, new in [s for s in spans if (s[0], s[1]) == (start, end)]:
        result = choice(number, new, result, text[start:end].rstrip().endswith(";"))
    return result


def switches(text, mutants, choice):
    """Where a text with all of its mutants (pairs of number and mutant) differs: (start, end, what takes its place).

    choice(number, new, old, whole_statement) is the code that chooses between the two."""
    for _, m in mutants:
        if wrong := m.misfit(text):
            sys.exit(f"mutant {m.name}: {wrong}")
    spans = [(*m.span(text), number, m.new) for number, m in mutants]
    for a in spans:
        for b in spans:
            if a[0] < b[0] < a[1] < b[1]:
                sys.exit(f"mutants {a[2]} and {b[2]} overlap")
    found, at = [], 0
    for start, end in sorted({(s[0], s[1]) for s in spans}, key=lambda s: (s[0], -s[1])):
        if start < at:
            continue
        found.append((start, end, _switched(text, start, end, spans, choice)))
        at = end
    return found


def copy(source, target):
    """Brings the target to the source's content, and leaves alone what has it already, so that little is built anew."""
    if source.is_dir():
        target.mkdir(exist_ok=True)
        for child in source.iterdir():
            if not child.name.startswith("."):
                copy(child, target / child.name)
    elif source.is_file() and (not target.exists() or source.read_bytes() != target.read_bytes()):
        shutil.copy(source, target)
