"""Reading a pickle without running it.

A pickle is a program for a small stack machine that can import and call anything. This machine here knows the same
opcodes but no import and no call: a name becomes a `Global`, a call becomes a `Call` that nobody makes. Time and
memory are bounded by the bytes and opcodes that are read. Opcodes: the standard library's `pickletools`.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import IO, Any, Protocol, cast

from wortlaut.errors import ModelCorrupt

MOST_OPCODES = 1_500_000
"""Of a whole file; the largest checkpoints in use have a few hundred thousand."""


class ByteStream(Protocol):
    """What a pickle is read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes."""
        ...

    def readline(self) -> bytes:
        """Return what stands before the next line feed, and it."""
        ...

    def tell(self) -> int:
        """Return the position."""
        ...


@dataclass(frozen=True, slots=True)
class Global:
    """A class or function that the pickle names."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


# Containers are compared and hashed by identity: a nest a million deep would overflow the stack of a real hash.
@dataclass(eq=False, slots=True)
class Items:
    """A list, tuple or set."""

    values: list[Value] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Pairs:
    """A dict: its assignments in order."""

    values: list[tuple[Value, Value]] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Call:
    """A call that was not made, and what would have been put into its result."""

    function: Value
    arguments: Value
    states: list[Value] = field(default_factory=list)
    items: Items = field(default_factory=Items)
    pairs: Pairs = field(default_factory=Pairs)


@dataclass(eq=False, slots=True)
class Persistent:
    """A reference to something outside the pickle; checkpoints refer so to the bytes of tensors."""

    reference: Value


Value = bool | int | float | str | bytes | Global | Items | Pairs | Call | Persistent | None


class _Mark:
    """Where a group of values on the stack begins."""


@dataclass(slots=True)
class Machine:
    """The state of one reading. `globals` and `patched` are filled even if the reading fails later on."""

    globals: dict[Global, None] = field(default_factory=dict)
    patched: dict[Global, None] = field(default_factory=dict)  # whose attributes the pickle sets
    references: list[Persistent] = field(default_factory=list)
    opcodes_left: int = MOST_OPCODES
    _stack: list[Any] = field(default_factory=list)
    _memo: dict[int, Value] = field(default_factory=dict)

    def read(self, stream: ByteStream) -> Value:
        """Read one pickle, up to and including its STOP. Raises `ModelCorrupt`."""
        self._stack, self._memo = [], {}
        try:
            for opcode, argument, _ in pickletools.genops(cast("IO[bytes]", stream)):
                self.opcodes_left -= 1
                if self.opcodes_left < 0:
                    raise ModelCorrupt(f"The pickle has more than {MOST_OPCODES:,} steps.")
                self._step(opcode.name, argument)
            return self._pop()
        except (ValueError, IndexError, KeyError, OverflowError, struct.error, AttributeError, TypeError) as error:
            raise ModelCorrupt(f"The pickle is damaged: {_one_line(error)}.") from error

    def _step(self, opcode: str, argument: Any) -> None:  # noqa: ANN401  (pickletools gives whatever the opcode carries)
        if opcode in _NO_EFFECT:
            return
        if opcode in _LITERALS:
            self._stack.append(argument)
        elif opcode in _CONSTANTS:
            self._stack.append(_CONSTANTS[opcode])
        elif opcode in _ACTIONS:
            _ACTIONS[opcode](self, argument)
        else:
            raise ModelCorrupt(f"The pickle uses {opcode}, which no checkpoint does.")

    def _pop(self) -> Value:
        value = self._stack.pop()
        if value is _MARK:
            raise ModelCorrupt("The pickle takes a mark for a value.")
        checked: Value = value
        return checked

    def _top(self) -> Value:
        value = self._pop()
        self._stack.append(value)
        return value

    def _pop_group(self) -> list[Value]:
        """Take everything above the last mark."""
        group = []
        while (value := self._stack.pop()) is not _MARK:
            group.append(value)
        group.reverse()
        return group

    def _take(self, count: int) -> list[Value]:
        values = [self._pop() for _ in range(count)]
        values.reverse()
        return values

    def _name(self, module: Value, name: Value) -> Global:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise ModelCorrupt("The pickle names something that is no name.")
        found = Global(module, name)
        self.globals[found] = None
        return found

    def _refer(self, reference: Value) -> None:
        persistent = Persistent(reference)
        self.references.append(persistent)
        self._stack.append(persistent)

    # --- what the opcodes do; `argument` is what stands behind the opcode in the stream

    def do_mark(self, _: object) -> None:
        self._stack.append(_MARK)

    def do_pop(self, _: object) -> None:
        self._stack.pop()

    def do_pop_mark(self, _: object) -> None:
        self._pop_group()

    def do_dup(self, _: object) -> None:
        self._stack.append(self._top())

    def do_put(self, key: int) -> None:
        self._memo[key] = self._top()

    def do_memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._top()

    def do_get(self, key: int) -> None:
        self._stack.append(self._memo[key])

    def do_empty_items(self, _: object) -> None:
        self._stack.append(Items())

    def do_empty_dict(self, _: object) -> None:
        self._stack.append(Pairs())

    def do_items(self, _: object) -> None:
        self._stack.append(Items(self._pop_group()))

    def do_dict(self, _: object) -> None:
        self._stack.append(Pairs(_paired(self._pop_group())))

    def do_tuple1(self, _: object) -> None:
        self._stack.append(Items(self._take(1)))

    def do_tuple2(self, _: object) -> None:
        self._stack.append(Items(self._take(2)))

    def do_tuple3(self, _: object) -> None:
        self._stack.append(Items(self._take(3)))

    def do_append(self, _: object) -> None:
        value = self._pop()
        _items_of(self._top()).values.append(value)

    def do_appends(self, _: object) -> None:
        group = self._pop_group()
        _items_of(self._top()).values.extend(group)

    def do_setitem(self, _: object) -> None:
        key, value = self._take(2)
        _pairs_of(self._top()).values.append((key, value))

    def do_setitems(self, _: object) -> None:
        group = _paired(self._pop_group())
        _pairs_of(self._top()).values.extend(group)

    def do_global(self, both: str) -> None:
        module, _, name = both.partition(" ")
        self._stack.append(self._name(module, name))

    def do_stack_global(self, _: object) -> None:
        module, name = self._take(2)
        self._stack.append(self._name(module, name))

    def do_extension(self, code: int) -> None:
        self._stack.append(self._name("copyreg", f"extension {code}"))

    def do_call(self, _: object) -> None:
        function, arguments = self._take(2)
        self._stack.append(Call(function, arguments))

    def do_new_with_keywords(self, _: object) -> None:
        function, arguments, keywords = self._take(3)
        self._stack.append(Call(function, Items([arguments, keywords])))

    def do_inst(self, both: str) -> None:
        arguments = Items(self._pop_group())
        module, _, name = both.partition(" ")
        self._stack.append(Call(self._name(module, name), arguments))

    def do_obj(self, _: object) -> None:
        function, *arguments = self._pop_group()
        self._stack.append(Call(function, Items(arguments)))

    def do_build(self, _: object) -> None:
        state = self._pop()
        target = self._top()
        if isinstance(target, Call):
            target.states.append(state)
        elif isinstance(target, Global):
            self.patched[target] = None
        else:
            raise ModelCorrupt("The pickle sets the state of something that has none.")

    def do_persistent_text(self, reference: str) -> None:
        self._refer(reference)

    def do_persistent(self, _: object) -> None:
        self._refer(self._pop())


_MARK = _Mark()
_NO_EFFECT = frozenset({"PROTO", "FRAME", "STOP"})
_LITERAL_NAMES = """
    INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT
    STRING BINSTRING SHORT_BINSTRING UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8
    BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8
"""
_LITERALS = frozenset(_LITERAL_NAMES.split())
_CONSTANTS: Mapping[str, Value] = MappingProxyType({"NONE": None, "NEWTRUE": True, "NEWFALSE": False})
_ACTIONS: Mapping[str, Callable[[Machine, Any], None]] = MappingProxyType(
    {
        "MARK": Machine.do_mark,
        "POP": Machine.do_pop,
        "POP_MARK": Machine.do_pop_mark,
        "DUP": Machine.do_dup,
        "PUT": Machine.do_put,
        "BINPUT": Machine.do_put,
        "LONG_BINPUT": Machine.do_put,
        "MEMOIZE": Machine.do_memoize,
        "GET": Machine.do_get,
        "BINGET": Machine.do_get,
        "LONG_BINGET": Machine.do_get,
        "EMPTY_LIST": Machine.do_empty_items,
        "EMPTY_TUPLE": Machine.do_empty_items,
        "EMPTY_SET": Machine.do_empty_items,
        "EMPTY_DICT": Machine.do_empty_dict,
        "LIST": Machine.do_items,
        "TUPLE": Machine.do_items,
        "FROZENSET": Machine.do_items,
        "DICT": Machine.do_dict,
        "TUPLE1": Machine.do_tuple1,
        "TUPLE2": Machine.do_tuple2,
        "TUPLE3": Machine.do_tuple3,
        "APPEND": Machine.do_append,
        "APPENDS": Machine.do_appends,
        "ADDITEMS": Machine.do_appends,
        "SETITEM": Machine.do_setitem,
        "SETITEMS": Machine.do_setitems,
        "GLOBAL": Machine.do_global,
        "STACK_GLOBAL": Machine.do_stack_global,
        "EXT1": Machine.do_extension,
        "EXT2": Machine.do_extension,
        "EXT4": Machine.do_extension,
        "REDUCE": Machine.do_call,
        "NEWOBJ": Machine.do_call,
        "NEWOBJ_EX": Machine.do_new_with_keywords,
        "INST": Machine.do_inst,
        "OBJ": Machine.do_obj,
        "BUILD": Machine.do_build,
        "PERSID": Machine.do_persistent_text,
        "BINPERSID": Machine.do_persistent,
    }
)


def _paired(values: list[Value]) -> list[tuple[Value, Value]]:
    return list(zip(values[::2], values[1::2], strict=True))


def _items_of(target: Value) -> Items:
    if isinstance(target, Call):
        return target.items
    if isinstance(target, Items):
        return target
    raise ModelCorrupt("The pickle appends to something that is no list.")


def _pairs_of(target: Value) -> Pairs:
    if isinstance(target, Call):
        return target.pairs
    if isinstance(target, Pairs):
        return target
    raise ModelCorrupt("The pickle assigns to something that is no dict.")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
