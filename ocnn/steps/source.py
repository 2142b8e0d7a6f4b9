"""What of a module's source can decide a result: its code, without what is for people and for type checkers alone."""

import ast
import sys
from collections.abc import Collection, Iterable

#: Texts of these calls are for people, unless a module binds the name itself, or says where what is printed goes.
SPEAKING = ("print", "warnings.warn")
REDIRECTING = {"stdout", "redirect_stdout"}
#: What is imported from these serves annotations, unless the code uses it. Importing them does nothing.
TYPING = ("typing", "types", "collections.abc", "numpy.typing")
#: A user's own module that says one of these reads docstrings, or annotations.
READS_DOCSTRINGS = {"__doc__", "getdoc", "getsource"}
READS_ANNOTATIONS = {"__annotations__", "get_annotations", "get_type_hints", "signature", "getfullargspec"}
#: A text of so many words is a sentence. A user's own module may compute with one (`query`). In this package only names
#: of classes are such texts, and the settings of a step state those.
SENTENCE = 3


def without_what_cannot_decide(tree: ast.Module, *, ours: bool) -> ast.Module:
    """Take docstrings, annotations, and texts of errors, warnings, assertions and prints away from a module, in place.

    Args:
        tree: of the module.
        ours: whether it is of this package, in which no sentence and no annotation decides.
    """
    stripped = _Stripped(tree, ours=ours).visit(tree)
    left: ast.Module = _Unused(stripped).visit(stripped)
    return left


def dumped(tree: ast.AST) -> str:
    """Write a tree as text, the same in every version of Python from 3.11 on."""
    for node in ast.walk(tree) if sys.version_info >= (3, 12) else ():
        if vars(node).get("type_params") == []:
            del vars(node)["type_params"]
    return ast.dump(tree, **({"show_empty": True} if sys.version_info >= (3, 13) else {}))


class _Stripped(ast.NodeTransformer):
    """Takes away docstrings, annotations, what only type checkers see, and the texts that are for people."""

    def __init__(self, tree: ast.Module, *, ours: bool) -> None:
        self.ours, self.in_class, self.made, self.decorated = ours, False, False, False
        nodes = list(ast.walk(tree))
        bound, said = _bound(nodes), _said(nodes)
        redirected = not ours and said & REDIRECTING
        self.speaking = [call for call in SPEAKING if call.partition(".")[0] not in bound and not redirected]
        self.documented = bool(said & READS_DOCSTRINGS)
        self.annotated = not ours and bool(said & READS_ANNOTATIONS)
        #: How the module says that only type checkers see something.
        self.unseen = ["typing.TYPE_CHECKING"] if "typing" not in bound else []
        if _only_from_typing(nodes, "TYPE_CHECKING"):
            self.unseen.append("TYPE_CHECKING")

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if self.ours and isinstance(node.value, str) and len(node.value.split()) >= SENTENCE:
            node.value = ""
        return node

    def _body(self, node: ast.AST) -> ast.AST:
        outer, self.in_class = (self.in_class, self.made), isinstance(node, ast.ClassDef)
        # What makes a class may choose by annotations, as `dataclass` and pydantic's `BaseModel` do.
        self.made = isinstance(node, ast.ClassDef) and bool(node.decorator_list or node.bases or node.keywords)
        body = getattr(node, "body", [])
        first = body[0] if body else None
        silent = not self.documented
        if (
            silent
            and isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            node.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]
        self.generic_visit(node)
        self.in_class, self.made = outer
        return node

    visit_Module = visit_ClassDef = _body

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        # A decorator may choose by annotations, as that of `functools.singledispatch` does.
        outer, self.decorated = self.decorated, bool(node.decorator_list) and not self.ours
        if not self.decorated and not self._counts(node.returns):
            node.returns = None
        result = self._body(node)
        self.decorated = outer
        return result

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_arg(self, node: ast.arg) -> ast.AST:
        if not self.decorated and not self._counts(node.annotation):
            node.annotation = None
        return node

    def _counts(self, annotation: ast.expr | None) -> bool:
        """Whether an annotation of a user's own module counts wherever it stands: the module reads it, or it runs."""
        return self.annotated or (
            not self.ours
            and annotation is not None
            and any(isinstance(node, ast.Call | ast.NamedExpr) for node in ast.walk(annotation))
        )

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        # In a class an annotation may make a field, whatever it says.
        if self._counts(node.annotation) or (self.made and not self.ours):
            return self.generic_visit(node)
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        if self.in_class:
            return node
        return ast.Assign([node.target], node.value) if node.value else ast.Pass()

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if _dotted(node.test) in self.unseen:
            return [self.visit(statement) for statement in node.orelse] or ast.Pass()
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        if isinstance(node.exc, ast.Call):
            node.exc.args = _computed(node.exc.args)
        return self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        computed = _computed([node.msg] if node.msg else [])
        node.msg = ast.Tuple(computed, ast.Load()) if computed else None
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        call = node.value
        to_file = isinstance(call, ast.Call) and any(keyword.arg in ("file", None) for keyword in call.keywords)
        if isinstance(call, ast.Call) and not to_file and _dotted(call.func) in self.speaking:
            call.args = _computed(call.args)
            if not call.args and not call.keywords:
                return ast.Pass()
        return self.generic_visit(node)


class _Unused(ast.NodeTransformer):
    """Takes away what is left of annotations: imports for them alone, and statements that do nothing."""

    def __init__(self, tree: ast.Module) -> None:
        nodes = list(ast.walk(tree))
        self.used = {node.id for node in nodes if isinstance(node, ast.Name)}
        self.used |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        if node.level == 0 and node.module in TYPING:
            node.names = [alias for alias in node.names if {alias.name, alias.asname} & {"*", *self.used}]
        return node if node.names else None

    def visit_Pass(self, node: ast.Pass) -> None:
        return None


def _computed(arguments: Iterable[ast.expr]) -> list[ast.expr]:
    """These arguments without texts: of a text with values in it the values are left."""
    left: list[ast.expr] = []
    for argument in arguments:
        if isinstance(argument, ast.JoinedStr):
            left += [part for part in argument.values if not isinstance(part, ast.Constant)]
        elif not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            left.append(argument)
    return left


def _dotted(node: ast.expr) -> str:
    """A name such as `print` or `warnings.warn` as it is written; of any other expression nothing."""
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return node.id if isinstance(node, ast.Name) else ""


def _bound(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that a module of these nodes binds, wherever in it; of `import warnings` none."""
    bound = set()
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [
                alias.asname or alias.name for alias in node.names if alias.asname or isinstance(node, ast.ImportFrom)
            ]
            bound.update(names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            bound.add(node.attr if node.attr == "print" else ast.unparse(node).partition(".")[0])
    return bound


def _said(nodes: Iterable[ast.AST]) -> set[str]:
    """All names, attributes, imported names and texts of a module of these nodes."""
    said: set[str] = set()
    for node in nodes:
        said.update(
            text for key in ("id", "attr", "name", "value") if isinstance(text := getattr(node, key, None), str)
        )
    return said


def _only_from_typing(nodes: Collection[ast.AST], name: str) -> bool:
    """Whether a module of these nodes has a name from `typing` and binds it in no other way."""
    sources = [
        node.module == "typing" and node.level == 0 and alias.name == name
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (alias.asname or alias.name) == name
    ]
    assigned = any(
        isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load) for node in nodes
    )
    return bool(sources) and all(sources) and not assigned
