"""Powers, roots, logarithms and angles, of DOUBLE.

Where a function is not defined is an error, and so is a result that is too large; infinities that go in may come out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.functions.moments import missing_of, numbers_of, rows_of
from operators.expressions.registry import Kernel, function


def _too_large(result: Any, *values: Any) -> pa.Array:
    """The result; raises ArrowInvalid where it is infinite though nothing that went in was."""
    infinite = pc.is_inf(result)
    if pc.any(infinite).as_py():
        for value in values:
            infinite = pc.and_(infinite, pc.is_finite(value))
        if pc.any(infinite).as_py():
            raise pa.ArrowInvalid("value out of range: overflow")
    return result


def _checked(kernel: Kernel) -> Kernel:
    return lambda *values: _too_large(kernel(*values), *values)


_CIRCLE: Final = "of an angle in radians"
_FUNCTIONS: Final[dict[str, tuple[Kernel, str, str]]] = {
    "sqrt": (pc.sqrt_checked, "The square root (also `|/ x`).", "sqrt(2.25) = 1.5"),
    "exp": (_checked(pc.exp), "e to this power.", "exp(0) = 1"),
    "ln": (pc.ln_checked, "The natural logarithm.", "ln(1) = 0"),
    "log10": (pc.log10_checked, "The logarithm to base 10.", "log10(1000) = 3"),
    "log2": (pc.log2_checked, "The logarithm to base 2.", "log2(8) = 3"),
    "sin": (pc.sin_checked, f"The sine {_CIRCLE}.", "sin(0) = 0"),
    "cos": (pc.cos_checked, f"The cosine {_CIRCLE}.", "cos(0) = 1"),
    "tan": (pc.tan_checked, f"The tangent {_CIRCLE}.", "tan(0) = 0"),
    "asin": (pc.asin_checked, "The angle in radians whose sine it is.", "asin(0) = 0"),
    "acos": (pc.acos_checked, "The angle in radians whose cosine it is.", "acos(1) = 0"),
    "atan": (pc.atan, "The angle in radians whose tangent it is.", "atan(0) = 0"),
    "sinh": (_checked(pc.sinh), "The hyperbolic sine.", "sinh(0) = 0"),
    "cosh": (_checked(pc.cosh), "The hyperbolic cosine.", "cosh(0) = 1"),
    "tanh": (pc.tanh, "The hyperbolic tangent.", "tanh(0) = 0"),
}
for _name, (_kernel, _says, _example) in _FUNCTIONS.items():
    function(f"{_name}(double) -> double", says=_says, examples=[_example])(_kernel)
function("log(double) -> double", says="The logarithm to base 10, or `log(b, x)` to base b.",
         examples=["log(100) = 2", "log(2, 64) = 6"])(pc.log10_checked)  # fmt: skip


@function("log(double, double) -> double")
def _log(base: Any, value: Any) -> pa.Array:
    if pc.any(pc.equal(base, 1.0)).as_py():
        raise pa.ArrowInvalid("divide by zero")
    return pc.logb_checked(value, base)


@function("atan2(double, double) -> double", total=True, says="The angle in radians of a point, y before x.",
          examples=["atan2(0, 1) = 0"])  # fmt: skip
def _atan2(y: Any, x: Any) -> pa.Array:
    return pc.atan2(y, x)


def _power(base: Any, exponent: Any) -> pa.Array:
    undefined = pc.and_(pc.equal(base, 0.0), pc.less(exponent, 0.0))
    if pc.any(undefined).as_py():
        raise pa.ArrowInvalid("zero raised to a negative power is undefined")
    result = pc.power(base, exponent)
    strange = pc.and_(pc.is_nan(result), pc.invert(pc.or_(pc.is_nan(base), pc.is_nan(exponent))))
    if pc.any(strange).as_py():
        raise pa.ArrowInvalid("a negative number raised to a non-integer power yields a complex result")
    return _too_large(result, base, exponent)


for _name, _example in (("power", "power(2, 10) = 1024"), ("pow", "pow(2, 10) = 1024"), ("^", "2 ^ 10 = 1024")):
    function(f"{_name}(double, double) -> double", says="One number to the power of the other.", examples=[_example])(
        _power
    )


def _of_numpy(name: str, says: str, example: str, inside: Callable[[Any], Any] | None = None) -> Callable[[Any], Any]:
    """Register a NumPy function of one number; what is not `inside` is an error."""

    def register(compute: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @function(f"{name}(double) -> double", total=inside is None, says=says, examples=[example])
        def _kernel(value: Any) -> pa.Array:
            numbers, missing = numbers_of(value, np.nan), missing_of(value)
            if inside is not None and not (missing | np.isnan(numbers) | inside(numbers)).all():
                raise pa.ArrowInvalid("input is out of range")
            with np.errstate(all="ignore"):
                return pa.array(compute(numbers), pa.float64(), mask=missing)

        return compute

    return register


_of_numpy("cbrt", "The cube root (also `||/ x`).", "cbrt(27) = 3")(np.cbrt)
_of_numpy("degrees", "An angle in radians as degrees.", "degrees(0) = 0")(lambda x: x * (180.0 / np.pi))
_of_numpy("radians", "An angle in degrees as radians.", "radians(0) = 0")(lambda x: x * (np.pi / 180.0))
_of_numpy("asinh", "The inverse of the hyperbolic sine.", "asinh(0) = 0")(np.arcsinh)
_of_numpy("acosh", "The inverse of the hyperbolic cosine.", "acosh(1) = 0", lambda x: x >= 1)(np.arccosh)
_of_numpy("atanh", "The inverse of the hyperbolic tangent.", "atanh(0) = 0", lambda x: np.abs(x) <= 1)(np.arctanh)
_of_numpy("cot", f"The cotangent {_CIRCLE}.", "cot(pi() / 2) - cot(pi() / 2) = 0", np.isfinite)(lambda x: 1 / np.tan(x))


def _sine(degrees: Any) -> Any:
    """Exact where the sine is rational."""
    turn = np.fmod(degrees, 360.0)
    sign = np.where(turn < 0, -1.0, 1.0)
    turn = np.abs(turn)
    sign, turn = np.where(turn > 180, -sign, sign), np.where(turn > 180, 360 - turn, turn)
    turn = np.where(turn > 90, 180 - turn, turn)
    return sign * np.where(turn == 30, 0.5, np.where(turn == 90, 1.0, np.sin(np.radians(turn))))


def _cosine(degrees: Any) -> Any:
    turn = np.abs(np.fmod(degrees, 360.0))
    turn = np.where(turn > 180, 360 - turn, turn)
    sign, turn = np.where(turn > 90, -1.0, 1.0), np.where(turn > 90, 180 - turn, turn)
    return sign * np.where(turn == 60, 0.5, np.where(turn == 90, 0.0, np.cos(np.radians(turn))))


def _tangent(degrees: Any) -> Any:
    sine, cosine = _sine(degrees), _cosine(degrees)
    turn = np.abs(np.fmod(degrees, 180.0))
    exact = np.sign(sine) * np.sign(cosine)
    return np.where((turn == 45) | (turn == 135), exact, np.where(cosine == 0, sine * np.inf, sine / cosine))


def _cotangent(degrees: Any) -> Any:
    sine, cosine = _sine(degrees), _cosine(degrees)
    turn = np.abs(np.fmod(degrees, 180.0))
    exact = np.sign(sine) * np.sign(cosine)
    return np.where((turn == 45) | (turn == 135), exact, np.where(sine == 0, cosine * np.inf, cosine / sine))


def _unit(x: Any) -> Any:
    return np.abs(x) <= 1


def _arc(compute: Callable[[Any], Any], exact: dict[float, float]) -> Callable[[Any], Any]:
    def angle(x: Any) -> Any:
        result = np.degrees(compute(x))
        for value, degrees in exact.items():
            result = np.where(x == value, degrees, result)
        return result

    return angle


_ARCS: Final = {-1.0: -90.0, -0.5: -30.0, 0.0: 0.0, 0.5: 30.0, 1.0: 90.0}
_of_numpy("sind", "The sine of an angle in degrees.", "sind(30) = 0.5", np.isfinite)(_sine)
_of_numpy("cosd", "The cosine of an angle in degrees.", "cosd(60) = 0.5", np.isfinite)(_cosine)
_of_numpy("tand", "The tangent of an angle in degrees.", "tand(45) = 1", np.isfinite)(_tangent)
_of_numpy("cotd", "The cotangent of an angle in degrees.", "cotd(45) = 1", np.isfinite)(_cotangent)
_of_numpy("asind", "The angle in degrees whose sine it is.", "asind(0.5) = 30", _unit)(_arc(np.arcsin, _ARCS))
_of_numpy("acosd", "The angle in degrees whose cosine it is.", "acosd(0.5) = 60", _unit)(
    _arc(np.arccos, {value: 90.0 - angle for value, angle in _ARCS.items()})
)
_of_numpy("atand", "The angle in degrees whose tangent it is.", "atand(1) = 45")(
    _arc(np.arctan, {-1.0: -45.0, 0.0: 0.0, 1.0: 45.0, np.inf: 90.0, -np.inf: -90.0})
)


@function(
    "atan2d(double, double) -> double", total=True, says="As `atan2`, in degrees.", examples=["atan2d(1, 0) = 90"]
)
def _atan2d(y: Any, x: Any) -> pa.Array:
    y, x = rows_of(y, x)
    return pa.array(np.degrees(np.arctan2(numbers_of(y), numbers_of(x))), pa.float64(), mask=missing_of(y, x))


@function("nextafter(double, double) -> double", total=True, says="The number next to it, towards another.",
          examples=["nextafter(1, 2) > 1 = TRUE"])  # fmt: skip
def _nextafter(value: Any, towards: Any) -> pa.Array:
    value, towards = rows_of(value, towards)
    return pa.array(np.nextafter(numbers_of(value), numbers_of(towards)), mask=missing_of(value, towards))


@function("pi() -> double", total=True, says="The circle's number.", examples=["floor(pi() * 100) = 314"])
def _pi() -> pa.Array:
    return pa.array([np.pi])
