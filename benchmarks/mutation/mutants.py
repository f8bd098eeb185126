"""Small faults of a module's source."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator

_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_PAIRS = [
    ("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"), ("clamp_min", "clamp_max"), ("floor", "ceil"),
    ("sin", "cos"), ("any", "all"), ("real", "imag"), ("zeros", "ones"), ("zeros_like", "ones_like"),
]  # fmt: skip
_NAMES = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
_NO_SOUND = ("annotation", "returns", "decorator_list")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A module with one fault.

    Attributes:
        line: where it is, from 1.
        change: what was and what is.
        source: the whole module.
    """

    line: int
    change: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module: one operator, comparison, constant, function or statement changed in each."""
    tree = ast.parse(source)
    before = ast.unparse(tree)
    seen = {before}
    for node in _walk(tree):
        changes = [(node, field, value, None) for field, value in _changes(node)]
        for owner, field, value, removed in [*changes, *_removals(node)]:
            kept, old = getattr(owner, field), _line(removed or owner)
            setattr(owner, field, value)
            new, text = "pass" if removed else _line(owner), ast.unparse(tree)
            setattr(owner, field, kept)
            if text not in seen:
                seen.add(text)
                yield Mutant(getattr(removed or owner, "lineno", 1), f"{old}  ->  {new}", text)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run: no docstrings, annotations, decorators, errors or imports."""
    yield node
    for field, value in ast.iter_fields(node):
        if field in _NO_SOUND:
            continue
        for child in value if isinstance(value, list) else [value]:
            text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if isinstance(child, ast.AST) and not text and not isinstance(child, (ast.Raise, ast.Import)):
                yield from _walk(child)


def _line(node: ast.AST) -> str:
    """A node as text, its first line alone where it is a block."""
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        return f"if {ast.unparse(node.test)}"
    if hasattr(node, "body"):
        return "block"
    return ast.unparse(node)


def _changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    """What to put where: (field, value)."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        if type(node.op) in _ARITHMETIC:
            yield "op", _ARITHMETIC[type(node.op)]()
    elif isinstance(node, ast.Compare):
        for at, op in enumerate(node.ops):
            yield "ops", [*node.ops[:at], _COMPARISONS[type(op)](), *node.ops[at + 1 :]]
    elif isinstance(node, ast.BoolOp):
        yield "op", ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.USub):
            yield "op", ast.UAdd()
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield "value", not node.value
        elif isinstance(node.value, (int, float)):
            for value in (node.value + 1, 2 * node.value, -node.value):
                yield "value", value
    elif isinstance(node, ast.Name) and node.id in _NAMES:
        yield "id", _NAMES[node.id]
    elif isinstance(node, ast.Attribute) and node.attr in _NAMES:
        yield "attr", _NAMES[node.attr]
    elif isinstance(node, (ast.If, ast.IfExp)):
        yield "test", ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield "value", ast.Tuple(node.value.elts[::-1], ast.Load())


def _removals(node: ast.AST) -> Iterator[tuple[ast.AST, str, object, ast.AST]]:
    """Blocks without one update, one call whose value nobody takes, or one further assignment to a name."""
    for field in ("body", "orelse"):
        block = getattr(node, field, [])
        for at, child in enumerate(block if isinstance(block, list) else []):
            call = isinstance(child, ast.Expr) and isinstance(child.value, ast.Call)
            stored = isinstance(child, ast.Assign) and not isinstance(child.targets[0], (ast.Name, ast.Tuple))
            again = isinstance(child, ast.Assign) and any(
                isinstance(name, ast.Name) and name.id == getattr(child.targets[0], "id", None)
                for name in ast.walk(child.value)
            )
            if call or stored or again or isinstance(child, ast.AugAssign):
                yield node, field, [*block[:at], ast.Pass(), *block[at + 1 :]], child
