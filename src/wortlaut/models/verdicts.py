"""Which names in a pickle are harmless, and which give it away as an attack.

Unpickling calls what a pickle names. Known and harmless is what only makes data; dangerous is what reaches the
system, other code or the network. Everything else is unknown: it may be fine, but whoever loads the file should
know the package. The names that pyannote's checkpoints need are those of the shortest list with which PyTorch
loads them under `weights_only=True`.
"""

from __future__ import annotations

import _compat_pickle
from typing import Literal

from wortlaut.models.pickle_reader import Global

Verdict = Literal["harmless", "unknown", "dangerous"]

_HARMLESS = {
    "builtins": "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple",
    "collections": "Counter OrderedDict defaultdict deque",
    "copyreg": "_reconstructor",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "argparse": "Namespace",
    "pathlib": "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath",
    "uuid": "UUID",
    "typing": "Any",
    "_codecs": "encode",
    "numpy": "dtype ndarray bool_ float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64",
    "numpy.core.multiarray": "_reconstruct scalar",
    "numpy._core.multiarray": "_reconstruct scalar",
    "numpy.core.numeric": "_frombuffer",
    "numpy._core.numeric": "_frombuffer",
    "numpy.dtypes": "Float32DType Float64DType Int32DType Int64DType BoolDType",
    "torch": (
        "Size device dtype Tensor float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 bool complex64 "
        "complex128 strided DoubleStorage FloatStorage HalfStorage BFloat16Storage LongStorage IntStorage "
        "ShortStorage CharStorage ByteStorage BoolStorage ComplexFloatStorage ComplexDoubleStorage QInt8Storage "
        "QUInt8Storage QInt32Storage"
    ),
    "torch._utils": (
        "_rebuild_tensor _rebuild_tensor_v2 _rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor "
        "_rebuild_sparse_tensor"
    ),
    "torch.jit._pickle": (
        "build_boollist build_doublelist build_intlist build_tensor_from_id build_tensorlist restore_type_tag"
    ),
    "torch.nn.parameter": "Parameter Buffer",
    "torch.storage": "TypedStorage UntypedStorage",
    "torch.serialization": "_get_layout",
    "torch.torch_version": "TorchVersion",
    "pyannote.audio.core.model": "Introspection",
    "pyannote.audio.core.task": "Problem Resolution Specifications",
    "omegaconf.base": "ContainerMetadata Metadata",
    "omegaconf.dictconfig": "DictConfig",
    "omegaconf.listconfig": "ListConfig",
    "omegaconf.nodes": "AnyNode BooleanNode FloatNode IntegerNode StringNode",
}
_HARMLESS_NAMES = frozenset((module, name) for module, names in _HARMLESS.items() for name in names.split())

_DANGEROUS_MODULES = """
    _aix_support _ctypes _osx_support _pickle _posixsubprocess _pyrepl _socket _winapi aiohttp asyncio atexit bdb
    cProfile cgi cloudpickle code codeop commands ctypes dill distutils doctest ensurepip faulthandler fileinput
    ftplib glob http httpx idlelib imaplib imp importlib inspect lib2to3 linecache marshal mmap msvcrt
    multiprocessing nt ntpath os pdb pickle pickletools pip pkgutil platform popen2 poplib posix posixpath profile
    pty pydoc requests runpy setuptools shelve shutil signal site smtplib socket socketserver sqlite3 ssl subprocess
    sys tarfile telnetlib tempfile test timeit trace turtle unittest urllib urllib2 urllib3 venv webbrowser winreg
    xmlrpc zipfile zipimport
"""
_DANGEROUS_TOP_LEVEL = frozenset(_DANGEROUS_MODULES.split())
_DANGEROUS = {
    "builtins": (
        "__build_class__ __import__ breakpoint compile delattr eval exec exit getattr globals help input locals open "
        "quit setattr vars"
    ),
    "__builtin__": "apply execfile file raw_input reload",
    "functools": "reduce",
    "io": "FileIO open open_code",
    "_io": "FileIO open open_code",
    "operator": "attrgetter methodcaller",
    "_operator": "attrgetter methodcaller",
    "types": "CodeType FunctionType LambdaType ModuleType",
    "joblib": "load",
    "joblib.numpy_pickle": "load",
    "logging.config": "dictConfig fileConfig listen",
    "numpy": "fromfile load loadtxt memmap save",
    "pandas": "eval read_pickle",
    "torch": "load save",
    "torch._utils": "_import_dotted_name",
    "torch.serialization": "load save",
    "torch.storage": "_load_from_bytes",  # unpickles the bytes it is given
    "uuid": "_get_command_stdout",
    "yaml": "load unsafe_load",
}
_DANGEROUS_NAMES = frozenset((module, name) for module, names in _DANGEROUS.items() for name in names.split())
_DANGEROUS_PACKAGES = (
    "torch.hub",
    "torch.jit",
    "torch.fx",
    "torch.package",
    "torch.distributed",
    "torch.multiprocessing",
    "torch.utils.cpp_extension",
    "torch.utils.collect_env",
    "torch.utils.bottleneck",
    "torch._inductor",
    "torch._dynamo",
    "numpy.f2py",
    "numpy.distutils",
    "numpy.testing",
)


def judge(named: Global) -> Verdict:
    """Say what unpickling this name could do."""
    module, name = _modern(named)
    if (module, name) in _HARMLESS_NAMES:
        return "harmless"
    package = module.partition(".")[0]
    is_dangerous = (
        package in _DANGEROUS_TOP_LEVEL
        or (module, name.partition(".")[0]) in _DANGEROUS_NAMES
        or (named.module, named.name) in _DANGEROUS_NAMES  # Python 2's own
        or any(f"{module}.".startswith(f"{dangerous}.") for dangerous in _DANGEROUS_PACKAGES)
        or _reaches_through(name)
    )
    return "dangerous" if is_dangerous else "unknown"


def _modern(named: Global) -> tuple[str, str]:
    """Translate the names of Python 2, as unpickling does."""
    pair = (named.module, named.name)
    if pair in _compat_pickle.NAME_MAPPING:
        module, name = _compat_pickle.NAME_MAPPING[pair]
        return module, name
    return _compat_pickle.IMPORT_MAPPING.get(named.module, named.module), named.name


def _reaches_through(name: str) -> bool:
    """A dotted name goes from one object to the next, and modules hold other modules: `x.os.system`."""
    parts = name.split(".")
    return len(parts) > 1 and any(part in _DANGEROUS_TOP_LEVEL or part.startswith("__") for part in parts)
