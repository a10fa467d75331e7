"""What the findings about paths that lead out of a library come to together, in a line for each of the packages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from add_model.copies.finding import Code, Finding, Severity
from add_model.copies.judging.requirements import fulfils, is_stated, required
from add_model.copies.reading.sources import TESTS, Origin, Original, Sources
from add_model.encoding import SourceError
from add_model.installed import UNKNOWN_VERSION
from add_model.library import CONFIGURATION_FILE, CONFIGURATION_TABLE, Library

# So many markers a mirror is asked about, and as many it has to resolve to be one.
_ASKED, _FEWEST, _MANY = 10_000, 3, 20
# So many packages are named.
_MOST = 20


def notes(library: Library, findings: Iterable[Finding], sources: Sources) -> Iterator[str]:
    """What to say of the packages that markers name and that are not the library's own."""
    by_package: dict[str, list[Finding]] = {}
    for finding in findings:
        package = finding.source.partition(".")[0]
        # What the library has none of, and what an alias stands for, is nobody else's.
        if package.isidentifier() and package not in library.packages and package not in library.configuration.alias:
            by_package.setdefault(package, []).append(finding)
    for package, found in sorted(by_package.items(), key=lambda item: (-len(item[1]), item[0]))[:_MOST]:
        yield from _of_package(library, package, found, sources)


def of_addresses(unreached: Iterable[str]) -> Iterator[str]:
    """What to say of the repositories whose addresses markers name and of which nothing lies here."""
    for repository, count in Counter(unreached).most_common(_MOST):
        yield (
            f"{repository} is named by its address, and {_markers(count)} cannot be checked without a clone of it: "
            f"--clone {repository}=FOLDER"
        )


def _of_package(library: Library, package: str, findings: list[Finding], sources: Sources) -> Iterator[str]:
    mirror, resolved = _mirror(package, findings, sources)
    # A few paths that leave out the package at their start are slips, whose findings say so.
    if mirror is not None and (resolved >= _MANY or sources.is_installed(package)):
        yield (
            f"{mirror} in this tree has the modules that {_markers(resolved)} of {package} name: "
            f'`alias = {{{package} = "{mirror}"}}` in [{CONFIGURATION_TABLE}] of {CONFIGURATION_FILE} compares them there'
        )
    specifier = required(library, package)
    absent = sum(finding.code is Code.CP002 and finding.severity is Severity.WARNING and finding.message.startswith("unchecked: package") for finding in findings)  # fmt: skip
    if absent and package != TESTS:
        # What nothing but a comment names may be a slip, or a stranger's package.
        remedy = "correct its name, or install it beside add-model"
        if specifier or is_stated(library, package):
            remedy = f'pip install "{package}{specifier}"' if specifier else f"pip install {package}"
        yield f"{package} is not installed here, so {_markers(absent)} cannot be checked: {remedy}"
    version = sources.outlook.versions.get(package, UNKNOWN_VERSION)
    if version != UNKNOWN_VERSION and not fulfils(version, specifier):
        yield f"copies are held to {package}{specifier}, and {version} is installed here: pip install \"{package}{specifier}\""  # fmt: skip


def _mirror(package: str, findings: list[Finding], sources: Sources) -> tuple[str | None, int]:
    """The folder of the tree that mirrors a package, and how many of these markers lead to something in it."""
    asked = [finding.source for finding in findings[:_ASKED]]
    best: tuple[str | None, int] = (None, 0)
    for mirror in sources.layout.within(package)[:_MOST]:
        resolved = sum(_leads(sources, f"{mirror}{source.removeprefix(package)}") for source in asked)
        best = max(best, (mirror, resolved), key=lambda each: each[1])
    return best if best[1] >= _FEWEST else (None, 0)


def _leads(sources: Sources, path: str) -> bool:
    try:
        original = sources.find(path)
    except SourceError:
        return False
    return isinstance(original, Original) and original.origin is Origin.LIBRARY


def _markers(count: int) -> str:
    return f"{count} marker" + ("" if count == 1 else "s")
