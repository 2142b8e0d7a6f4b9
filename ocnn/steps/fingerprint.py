"""Fingerprints of code: what decides a result, without what cannot.

A result is decided by the modules that its step imports, directly or not, and each module counts whole: how a name in
it is bound, by a star import, a decorator, a registry or `getattr`, then makes no difference. docs/decisions/
fingerprints.md tells why. In short:

- This package: every module that the step or the method reaches by its import statements, wherever they stand.
- A user's own modules: likewise; a package of theirs with all its files, and what its modules reach. Modules and files
  that a text in such a module names (`importlib.import_module("helpers")`, `open("weights.csv")`) count, too.
- An installed package: the bytes of all its files. Its dependencies are libraries, and libraries do not count.

Comments, docstrings, annotations, layout, and the texts of errors, warnings, assertions and prints do not count (of
this package, no sentence does), nor does where a module stands or what it is called. What is computed for such a text
counts.
"""

import ast
import csv
import hashlib
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

import ocnn
from ocnn.steps.source import dumped, without_what_cannot_decide

#: Under these folders stand the standard library and what was installed.
LIBRARIES = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib"))
INSTALLED = ("site-packages", "dist-packages")
PACKAGE = Path(ocnn.__file__).resolve().parent
#: Longer texts name no file.
LONGEST_NAME = 255


def fingerprint(*targets: str) -> str:
    """Return a digest (16 hexadecimal digits) of the objects `package.module:NAME` and of all that decides them.

    Raises:
        LookupError: there is no such module.
    """
    files: set[tuple[str, Path]] = set()
    names = []
    pending: list[Path] = []
    for target in targets:
        module, _, name = target.partition(":")
        path = _find(module, None)
        if path is None:
            raise LookupError(f"There is no module {module}.")
        names.append(f"{name} of {_module(path).own}")
        pending.append(path)
        if (root := _own_package(module, path)) is not None:
            # Which file of a package has which content may decide; in an installed one its version says so.
            own = not _is_library(path)
            files |= {(file.relative_to(root).as_posix() if own else "", place) for file, place in _files(root)}
            pending += [place for _, place in files if _is_module(place)]
    seen: set[Path] = set()
    while pending:
        path = pending.pop()
        if path not in seen:
            seen.add(path)
            reached = _module(path)
            pending += [*reached.modules, *(place for _, place in reached.files if _is_module(place))]
            files |= reached.files
    digest = hashlib.sha256("\n".join([*names, *sorted(_sources(seen))]).encode())
    for content in sorted(f"{name}{_content_digest(path)}" for name, path in files if path not in seen):
        digest.update(content.encode())
    return digest.hexdigest()[:16]


def forget() -> None:
    """Forget what was read, for whoever edits modules within a process."""
    for function in (_find, _module, _source, _content_digest, _files, _is_module, _exported, _installed):
        function.cache_clear()
    importlib.invalidate_caches()


@cache
def _find(module: str, beside: Path | None) -> Path | None:
    """The file of a module, found without importing anything; `beside` is a folder to look in first."""
    top, *parts = module.split(".")
    spec = PathFinder.find_spec(top, [str(beside)]) if beside else None
    try:
        spec = spec or importlib.util.find_spec(top)
    except (ValueError, ImportError):  # a name such as __main__
        return None
    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(part, list(spec.submodule_search_locations))
    if spec is not None and spec.origin and spec.origin.endswith(".py"):
        return Path(spec.origin).resolve()
    return None


def _is_ours(path: Path) -> bool:
    return path.is_relative_to(PACKAGE)


def _is_library(path: Path) -> bool:
    if _is_ours(path):
        return False
    if any(part in INSTALLED for part in path.parts) or any(path.is_relative_to(folder) for folder in LIBRARIES):
        return True
    return any(
        path.relative_to(folder).parts[0] in _installed(folder)
        for folder in map(_resolved, sys.path)
        if path.is_relative_to(folder)
    )


@cache
def _resolved(folder: str) -> Path:
    return Path(folder).resolve()


@cache
def _installed(folder: Path) -> frozenset[str]:
    """What stands in a folder by an installer's record: `pip install --target`, a cluster's modules on PYTHONPATH."""
    names = set()
    for record in folder.glob("*.dist-info/RECORD"):
        with open(record, encoding="utf-8", newline="") as file:
            names |= {Path(row[0]).parts[0] for row in csv.reader(file) if row}
    return frozenset(names)


def _own_package(module: str, path: Path) -> Path | None:
    """The folder of the package of somebody else's that a target stands in, or None."""
    if _is_ours(path) or ("." not in module and path.name != "__init__.py"):
        return None
    depth = len(module.split(".")) - (path.name != "__init__.py")
    return path.parents[depth - 1]


@cache
def _files(folder: Path) -> tuple[tuple[Path, Path], ...]:
    """All files of a package, hidden and compiled ones apart, and where each is; also those behind links to folders."""
    found, known = [], set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(place)) in known:
            folders.clear()
            continue
        known.add(real)
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        paths = [Path(place, name) for name in names if not name.startswith(".")]
        found += [(path, path.resolve()) for path in paths if path.is_file() and path.suffix not in (".pyc", ".pyo")]
    return tuple(sorted(found))


@cache
def _is_module(path: Path) -> bool:
    """Whether a file is a module that counts by its source, not by its bytes."""
    if path.suffix != ".py" or _is_library(path):
        return False
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return False
    return True


@cache
def _content_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _path(node: ast.expr | None) -> list[str]:
    """The last parts of a path, if they are texts: of `folder / "a" / "b.csv"`, or of `Path(folder, "a", "b.csv")`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        parts = [node.left, node.right]
    elif isinstance(node, ast.Call):
        parts = node.args
    else:
        return []
    found: list[str] = []
    for part in reversed(parts):
        texts = _path(part)
        found = texts + found
        if not isinstance(part, ast.Constant):
            break
    return found


@dataclass(frozen=True)
class _Module:
    """What a module says and what it reaches.

    own: digest of its code, whatever is behind its imports.
    imports: for each of these, in order, what it takes: from which module of the counted ones (or, of a library, its
        name), and what it is called here.
    modules: those that count because of it.
    files: the files that its texts name, each with that text.
    """

    own: str
    imports: tuple[tuple[Path | str, str], ...]
    modules: tuple[Path, ...]
    files: frozenset[tuple[str, Path]]


@cache
def _module(path: Path) -> _Module:
    parsed = ast.parse(path.read_bytes())
    top = set(parsed.body)
    tree = without_what_cannot_decide(parsed, ours=_is_ours(path))
    beside = None if _is_ours(path) else path.parent
    imports: list[tuple[Path | str, str]] = []
    reached: list[Path | None] = []
    called: dict[str, str] = {}
    walked = list(ast.walk(tree))
    texts = {node.value for node in walked if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for node in walked:
        if isinstance(node, ast.Import):
            for alias in node.names:
                found = _counted(_find(alias.name, beside))
                reached += _imported(alias, beside)
                if found and alias.asname:
                    called[alias.asname] = f"_{len(imports)}"
                    imports.append((found, ""))
                elif found and beside:
                    imports.append((found, alias.name))
                else:
                    imports.append((alias.name, alias.asname or ""))
            node.names = []
        elif isinstance(node, ast.ImportFrom):
            base = _counted(_from_module(path, node))
            for alias in node.names:
                if found := _counted(_submodule(path, node, alias.name)):
                    called[alias.asname or alias.name] = f"_{len(imports)}"
                    imports.append((found, ""))
                    reached.append(found)
                elif beside and base and (source := _exported(base).get(alias.name)):
                    imports.append((source, f"{alias.name} as {alias.asname}"))
                    reached.append(source)
                    continue
                else:
                    imports.append((base or f"{'.' * node.level}{node.module}", f"{alias.name} as {alias.asname}"))
                # A package's own file counts for this package only where something that is no module is taken from it.
                if base and not (found and _is_ours(base)):
                    reached.append(base)
                if beside and not node.level:
                    # Python looks into the folders of `sys.path` first.
                    reached += [_find(node.module or "", None), _find(f"{node.module}.{alias.name}", None)]
            # Where it stands may depend on a condition, and so how many names it takes.
            nested = [ast.alias(str(len(node.names)))] if beside and node not in top else []
            node.module, node.names, node.level = None, nested, 1
        elif isinstance(node, ast.Name) and node.id in called:
            node.id = called[node.id]
    files: frozenset[tuple[str, Path]] = frozenset()
    if beside:
        for text in sorted(text for text in texts if len(text) <= LONGEST_NAME):
            modules_named = [module for module in map(_counted, _named_modules(text, path)) if module]
            imports += [(module, text) for module in modules_named]
            reached += modules_named
        reached += _packages(path)
        paths = {"/".join(_path(node)) for node in walked if isinstance(node, ast.BinOp | ast.Call)}
        files = _named(texts | paths, path.parent)
        imports += [(place, name) for name, place in sorted(files) if _is_module(place)]
    elif path.name == "__init__.py":
        reached += _exported(path).values() if _names_objects(texts) else ()
    modules = tuple(dict.fromkeys(module for module in map(_counted, reached) if module))
    return _Module(_digest(dumped(tree)), tuple(imports), modules, files)


def _imported(alias: ast.alias, beside: Path | None) -> list[Path | None]:
    """The modules that `import package.module` runs; of this package the last one alone, if that is all it binds."""
    parts = alias.name.split(".")
    names = [".".join(parts[:n]) for n in range(1, len(parts) + 1)] if beside else [alias.name]
    found = [_find(name, place) for name in names for place in dict.fromkeys([beside, None])]
    return [module for module in found if module and not (alias.asname and _is_ours(module) and module != found[-1])]


def _packages(path: Path) -> list[Path]:
    """The file `__init__.py` of the package of a user's own module, which Python runs first, if it is in one."""
    folder = path.parents[path.name == "__init__.py"]
    return [init.resolve()] if (init := folder / "__init__.py").is_file() else []


def _named_modules(text: str, path: Path) -> list[Path | None]:
    """The modules that a text in a user's own module may name: `helpers`, `package.module:NAME`, `.beside`."""
    name = text.partition(":")[0].lstrip(".")
    level = len(text) - len(text.lstrip("."))
    if not all(part.isidentifier() for part in name.split(".")):
        return []
    if level:
        return [_beside(path.parents[level - 1], name.split("."))] if level <= len(path.parents) else []
    return [_find(name, path.parent), _find(name, None)]


@cache
def _exported(path: Path) -> dict[str, Path]:
    """The names that a package's own file of this package passes on, be it when they are asked for → their modules."""
    if not _is_ours(path) or path.name != "__init__.py":
        return {}
    found: dict[str, Path | None] = {}
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: _from_module(path, node) for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _names_objects({node.value}):
            module, _, name = node.value.partition(":")
            found[name] = _find(module, None)
    return {name: module for name, module in found.items() if module and _is_ours(module)}


def _names_objects(texts: Iterable[str]) -> bool:
    """Whether a text names an object, as `package.module:NAME` does."""
    return any(":" in text and all(part.isidentifier() for part in text.replace(":", ".").split(".")) for text in texts)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _source(path: Path) -> str:
    """The digest of a module with what each of its imports takes, whatever the files are called."""
    module = _module(path)
    taken = [f"{source if isinstance(source, str) else _module(source).own} {name}" for source, name in module.imports]
    return _digest("\n".join([module.own, *taken]))


def _sources(modules: Iterable[Path]) -> set[str]:
    """The digests of these modules, each with what its imports take."""
    sources = {path: _source(path) for path in modules}
    # Where two modules say the same, what is behind their imports tells them apart.
    if len({_module(path).own for path in sources}) < len(sources):
        for _ in range(len(sources)):
            sources = {
                path: _digest(
                    "\n".join(
                        [digest, *(sources.get(of, "") for of, _ in _module(path).imports if isinstance(of, Path))]
                    )
                )
                for path, digest in sources.items()
            }
    return set(sources.values())


def _counted(path: Path | None) -> Path | None:
    return None if path is None or _is_library(path) else path


def _from_module(path: Path, node: ast.ImportFrom) -> Path | None:
    """The file of the module in `from module import …`; of a relative one without a name, the package's own."""
    if node.level:
        return _beside(path.parents[node.level - 1], (node.module or "").split("."))
    return _find(node.module or "", None if _is_ours(path) else path.parent)


def _submodule(path: Path, node: ast.ImportFrom, name: str) -> Path | None:
    """The module that `from package import name` brings, or None if it brings something else."""
    if node.level:
        return _beside(path.parents[node.level - 1], [*(node.module or "").split("."), name])
    return _find(f"{node.module}.{name}", None if _is_ours(path) else path.parent)


def _beside(folder: Path, parts: list[str]) -> Path | None:
    place = folder.joinpath(*(part for part in parts if part))
    return next((c.resolve() for c in (place.with_suffix(".py"), place / "__init__.py") if c.is_file()), None)


def _named(texts: Iterable[str], folder: Path) -> frozenset[tuple[str, Path]]:
    """The files with a suffix that texts name, from here, the working directory, or folders below that they name."""
    # Of what cannot be a path, or cannot be looked at, these say no, where a `Path` would raise an error.
    there, is_folder = os.path.isfile, os.path.isdir
    names = {name for text in texts if len(text) <= LONGEST_NAME for name in (text, text.lstrip("/"))}
    bases = [folder, Path.cwd()]
    bases += [base / name for name in sorted(names) for base in bases[:2] if is_folder(base / name)]
    named = [(name, base / name) for name in names if "." in name[1:] for base in dict.fromkeys(bases)]
    return frozenset((name, path.resolve()) for name, path in named if there(path))
