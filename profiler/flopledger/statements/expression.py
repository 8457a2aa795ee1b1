"""An expression of a claim: arithmetic on floats and calls of figures, and nothing else."""

import ast
import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any

from simpleeval import FunctionNotDefined, InvalidExpression, SimpleEval

from flopledger.errors import FlopledgerError
from flopledger.storage.nearest_name import did_you_mean

# of floats, so that none of them takes longer or more memory than another
_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.UAdd: operator.pos, ast.USub: operator.neg,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_NODES = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Load, *_OPERATORS)
Function = Callable[..., float]


class BadExpression(FlopledgerError, ValueError):
    """An expression is none, or has no value; the message says which part of it and why."""


def evaluated(text: str, functions: Mapping[str, Function]) -> float | bool | complex:
    """What the expression comes to.

    Args:
        text: numbers, + - * / **, comparisons and calls; a name of something is text in quotes, and
            an argument.
        functions: what it may call, each with its parameters' types.

    Raises:
        BadExpression: it holds something else, calls a function with what that does not take, or
            comes to nothing finite.
        FlopledgerError: as the functions raise it.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        _check(tree)
        called = _named(tree) & set(functions)
        evaluator = SimpleEval(
            operators=_OPERATORS,
            functions={name: _strict(name, functions[name]) for name in called},
        )
        value: float | bool | complex = evaluator.eval(text, previously_parsed=tree)
    except FunctionNotDefined as error:
        name = error.func_name
        hint = did_you_mean(name, functions)
        raise BadExpression(f"no function is called {name!r}; {hint}") from error
    except SyntaxError as error:
        raise BadExpression(f"it is no expression: {error.msg}") from error
    except (RecursionError, MemoryError) as error:  # both are the parser's
        raise BadExpression("it is nested too deep; write it flatter") from error
    except ZeroDivisionError as error:
        raise BadExpression("it divides by zero") from error
    except OverflowError as error:
        raise BadExpression("it comes to a number that is too large") from error
    except (InvalidExpression, TypeError) as error:  # TypeError: complex numbers have no order
        raise BadExpression(f"it cannot be evaluated: {error}") from error
    return value


def _check(tree: ast.expr) -> None:
    """Refuse what is no arithmetic, and make every number a float."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    arguments = {id(argument) for call in calls for argument in call.args}
    called = {id(call.func) for call in calls if not call.keywords}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            _check_constant(node, id(node) in arguments)
        elif isinstance(node, ast.Name) and id(node) not in called:
            raise BadExpression(f"{_part(node)} is no name here; put names in quotes")
        elif isinstance(node, ast.Call) and id(node.func) in called:
            if not isinstance(node.func, ast.Name):
                raise BadExpression(f"{_part(node.func)} is no function here")
        elif not isinstance(node, (*_NODES, ast.Name)):
            raise BadExpression(
                f"{_part(node)} is not evaluated here; write numbers, + - * / **, comparisons and "
                "functions of the table in docs/adding-a-claim.md"
            )


def _named(tree: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _check_constant(node: ast.Constant, argument: bool) -> None:
    if isinstance(node.value, str):
        if not argument:
            raise BadExpression(f"{_part(node)} is text, which only a function takes")
    elif isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise BadExpression(f"{_part(node)} is no number")
    else:
        node.value = float(node.value)  # a whole number could be longer than the memory


def _part(node: ast.AST) -> str:
    """The part of the expression; of an operator its name."""
    text = ast.unparse(node) or f"the operator {type(node).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _strict(name: str, function: Function) -> Function:
    """The function, which refuses what it does not take by saying how it is called."""
    parameters = inspect.signature(function).parameters.values()
    usage = f"{name}({', '.join(map(_usage, parameters))})"

    def call(*arguments: Any) -> float:
        try:
            bound = inspect.signature(function).bind(*arguments).arguments
        except TypeError as error:
            raise BadExpression(f"{name} is called as {usage}") from error
        for parameter in parameters:
            given = bound.get(parameter.name, ())
            several = parameter.kind is parameter.VAR_POSITIONAL
            number = parameter.annotation in (float, float | None)
            for argument in given if several else [given] if parameter.name in bound else []:
                if isinstance(argument, str) == number or isinstance(argument, complex):
                    wanted = "a number" if number else "text in quotes"
                    shown = f"{argument:g}" if isinstance(argument, float) else repr(argument)
                    raise BadExpression(f"{usage}: {parameter.name} is {wanted}, not {shown}")
        return function(*arguments)

    return call


def _usage(parameter: inspect.Parameter) -> str:
    star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
    optional = parameter.default is not parameter.empty
    return f"[{parameter.name}]" if optional else f"{star}{parameter.name}"
