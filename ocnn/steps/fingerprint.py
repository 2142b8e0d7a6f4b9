"""Fingerprints of code: what decides a result, without comments, docstrings and layout.

The workflow gives each job the fingerprint of the functions and classes that make its output, so that changing a
method's loss refits that method alone, and touching a comment refits nothing. From a definition the names it uses are
followed, through this package and its own parts only, to every definition that it can reach; the sources of these,
normalised, are hashed. Names are found statically: a definition reached through a string alone is to be given itself.
"""

import ast
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path


def fingerprint(*targets: str) -> str:
    """A digest (16 hexadecimal digits) of the definitions `package.module:name` and of all that they reach.

    Only definitions in the targets' own top-level packages count: a library's version is the environment's affair.

    Raises:
        LookupError: a target is not defined where it says.
    """
    packages = frozenset(target.split(".")[0].split(":")[0] for target in targets)
    found: dict[tuple[str, str], str] = {}
    pending: list[tuple[str, str]] = [(module, name) for module, _, name in (t.partition(":") for t in targets)]
    for module, name in pending:
        if _source(module, name) is None:
            raise LookupError(f"{module} defines no {name}.")
    while pending:
        module, name = pending.pop()
        if (module, name) in found:
            continue
        source = _source(module, name)
        if source is not None:
            found[module, name] = source
            pending += _references(module, name, packages)
    digest = hashlib.sha256()
    for (module, name), source in sorted(found.items()):
        digest.update(f"{module}:{name}\n{source}\n".encode())
    return digest.hexdigest()[:16]


class _Module:
    """A module's top-level definitions and what its imports, at any depth, bind."""

    def __init__(self, name: str) -> None:
        spec = find_spec(name)
        path = spec.origin if spec else None
        text = Path(path).read_text(encoding="utf-8") if path and path.endswith(".py") else ""
        tree = ast.parse(text)
        self.definitions: dict[str, list[ast.stmt]] = {}
        self.imports: dict[str, tuple[str, str | None]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    bound = alias.asname or alias.name.split(".")[0]
                    self.imports[bound] = (alias.name if alias.asname else bound, None)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    is_package = bool(path) and Path(path or "").name == "__init__.py"
                    parents = name.split(".")[: None if is_package and node.level == 1 else is_package - node.level]
                    base = ".".join([*parents, *([base] if base else [])])
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = (base, alias.name)
        for statement in _without_docstrings(tree).body:
            for bound in _bound_names(statement):
                self.definitions.setdefault(bound, []).append(statement)


@cache
def _module(name: str) -> _Module:
    return _Module(name)


def _source(module: str, name: str) -> str | None:
    statements = _module(module).definitions.get(name)
    return None if statements is None else "\n".join(ast.unparse(statement) for statement in statements)


def _references(module: str, name: str, packages: frozenset[str]) -> list[tuple[str, str]]:
    """The definitions that one refers to by name, within the packages."""
    here = _module(module)
    references: list[tuple[str, str]] = []
    for statement in here.definitions[name]:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                if node.id in here.definitions:
                    references.append((module, node.id))
                elif node.id in here.imports:
                    references += _imported(*here.imports[node.id], packages)
            elif isinstance(node, ast.Attribute):
                dotted = ast.unparse(node).split(".")
                if dotted[0] in here.imports:
                    references += _through_modules(here.imports[dotted[0]], dotted[1:], packages)
    return references


def _imported(base: str, name: str | None, packages: frozenset[str]) -> list[tuple[str, str]]:
    """The definition behind `from base import name`, followed through re-exports."""
    if name is None or base.split(".")[0] not in packages:
        return []
    module = _module(base)
    if name in module.definitions:
        return [(base, name)]
    if name in module.imports and module.imports[name] != (base, name):
        return _imported(*module.imports[name], packages)
    return []


def _through_modules(
    binding: tuple[str, str | None], attributes: list[str], packages: frozenset[str]
) -> list[tuple[str, str]]:
    """The definition behind `module.attribute`, or `package.module.attribute`."""
    module = binding[0] if binding[1] is None else f"{binding[0]}.{binding[1]}"
    for attribute in attributes:
        if module.split(".")[0] not in packages or not _exists(module):
            return []
        found = _imported(module, attribute, packages)
        if found:
            return found
        module = f"{module}.{attribute}"
    return []


@cache
def _exists(module: str) -> bool:
    # Looking for a part of a module that is no package would import that module, and with it, perhaps, Keras.
    parent = module.rpartition(".")[0]
    if parent and not _is_package(parent):
        return False
    return find_spec(module) is not None


def _is_package(module: str) -> bool:
    spec = find_spec(module) if _exists(module) else None
    return spec is not None and spec.submodule_search_locations is not None


def _bound_names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    if isinstance(statement, ast.If | ast.Try | ast.With):
        return [
            name
            for part in ast.iter_child_nodes(statement)
            if isinstance(part, ast.stmt)
            for name in _bound_names(part)
        ]
    return []


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return tree
