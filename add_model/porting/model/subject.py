"""The model that a porter works on: found by its name in a library, imported, and built from a configuration.

Other than the static commands, these import and run the library's code: the user's own, that they want to run.
"""

from __future__ import annotations

import contextlib
import importlib
import shlex
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from add_model.errors import AddModelError
from add_model.extras import install_command
from add_model.held_model import HeldModel, ModelHolder, registered_model
from add_model.library import Library, installed_package, library_at
from add_model.nearest import close, spelled_otherwise
from add_model.porting.model.library_models import no_such_model
from add_model.references import TARGET, UnknownReference, find_reference
from add_model.registry import CONFIGURATION_MAPPING, MODEL_MAPPING, Registry

if TYPE_CHECKING:
    import torch
    from torch import nn

TRANSFORMERS = "transformers"
_OWN = __package__.partition(".")[0]
# What a library's code may fail by: to end the process is not for it to say, while Ctrl-C is the user's word.
FAILURES = (Exception, SystemExit)


@dataclass(frozen=True)
class Subject:
    """A model of a library.

    Attributes:
        held: the model, and where everything of it is.
        origin: `library` (the one that is worked in), `zoo`, or the name of an installed package.
    """

    held: HeldModel
    origin: str

    @property
    def name(self) -> str:
        """Its name (`brand_new_bert`)."""
        return self.held.name

    @property
    def library(self) -> Library:
        """The library that holds it."""
        return self.held.library

    @property
    def package(self) -> str:
        """Dotted name of the package of its files (`my_models.models.brand_new_bert`)."""
        return self.held.package

    @property
    def configuration_name(self) -> str:
        """The name of its configuration class.

        Raises:
            AddModelError: its library registers none.
        """
        return self._registered(self.held.configuration_name, "configuration")

    @property
    def base_model_name(self) -> str:
        """The name of the class without a head, or of the first with one where there is none without.

        Raises:
            AddModelError: its library registers none.
        """
        return self._registered(next(iter(self.class_names), None), "model")

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes that can be built: the base model, then the heads."""
        return self.held.class_names

    def load(self) -> ModuleType:
        """Imports the model's package; its library's source folder is put on `sys.path` first.

        Raises:
            AddModelError: it cannot be imported; the file and the line are named.
        """
        top = self.package.partition(".")[0]
        folder = self.held.top_folder
        _forget_namesake(top, folder)
        _put_first(str(self.held.source))
        importlib.invalidate_caches()
        try:
            return importlib.import_module(self.package)
        except AddModelError:
            raise
        except FAILURES as error:
            place = _place(error, folder)
            remedy = self._remedy(error)
            raise AddModelError(f"{place}: {self.name} cannot be imported: {_said(error)}; {remedy} and run again") from error  # fmt: skip

    def _remedy(self, error: BaseException) -> str:
        """What to do about a package that cannot be imported."""
        top, missing = self.package.partition(".")[0], getattr(error, "name", None)
        if not isinstance(error, ModuleNotFoundError) or not missing or missing.partition(".")[0] == top:
            return "mend it"
        needed = install_command("torch") if top == _OWN else f"pip install -e {shlex.quote(str(self.library.root))}"
        return f"install what its library needs ({needed}), or mend it,"

    def configuration_class(self) -> Any:
        """Its configuration class, imported.

        Raises:
            AddModelError: the model cannot be imported, or lacks the class.
        """
        return self._attribute(self.configuration_name)

    def model_class(self, class_name: str | None = None) -> type[nn.Module]:
        """One of its model classes, imported; the base model's without a name.

        Raises:
            AddModelError: the model cannot be imported, or has no such class.
        """
        name = class_name or self.base_model_name
        if name not in self.class_names:
            raise AddModelError(f"{self.name} has no class {name!r}; choose one of: {', '.join(self.class_names)}")
        model_class: type[nn.Module] = self._attribute(name)
        return model_class

    def configure(self, values: Mapping[str, Any]) -> Any:
        """A configuration with the values of a `config.json`; what it lacks has the default of the class.

        Raises:
            AddModelError: the model cannot be imported, or refuses a value.
        """
        configuration_class = self.configuration_class()
        try:
            return configuration_class.from_dict(dict(values))
        except FAILURES as error:
            raise AddModelError(f"{self.configuration_name} refuses the configuration: {_said(error)}; change that value") from error  # fmt: skip

    def build(
        self,
        config: Any,
        class_name: str | None = None,
        device: str | torch.device = "meta",
        most_parts: int | None = None,
    ) -> nn.Module:
        """The model; on the device `meta` it has the names, shapes and types of all weights, and no values.

        Args:
            config: its configuration.
            class_name: its class; the base model's without a name.
            device: where its weights are.
            most_parts: how many submodules and parameters it may have; more are the fault of the configuration.

        Raises:
            AddModelError: the model cannot be imported, has no such class, or cannot be built.
        """
        import torch

        model_class = self.model_class(class_name)
        device = torch.device(device)
        try:
            with (
                device,
                _without_values() if device.type == "meta" else contextlib.nullcontext(),
                _limited(most_parts),
            ):
                return model_class(config)
        except AddModelError:
            raise
        except FAILURES as error:
            place = _place(error, self.held.top_folder)
            raise AddModelError(f"{place}: {model_class.__name__} cannot be built: {_said(error)}; mend it, or the configuration, and run again") from error  # fmt: skip

    def build_buffers(self, config: Any, class_name: str | None = None) -> nn.Module:
        """The model on the CPU, with the values of its buffers and none of its parameters, which take no memory.

        Raises:
            AddModelError: as `build` does.
        """
        with _parameters_without_values():
            return self.build(config, class_name, device="cpu")

    def _registered(self, name: str | None, what: str) -> str:
        if name is None:
            raise AddModelError(f"{self.held.folder}: no {what} class of {self.name} is registered; register it, and run again")  # fmt: skip
        return name

    def _attribute(self, name: str) -> Any:
        module = self.load()
        if not hasattr(module, name):
            raise AddModelError(f"{module.__file__}: does not export {name}, which the library's registry names; add it and run again")  # fmt: skip
        return getattr(module, name)


def find_subject(holder: ModelHolder, name: str) -> Subject:
    """Finds `brand_new_bert` among the models of a library, or `origin:type` (`zoo:bert`, `transformers:bert`).

    A name that the library does not hold is looked for in the bundled models.

    Raises:
        AddModelError: there is no such model; those of the library are named, the nearest first.
    """
    origin, colon, model_type = name.rpartition(":")
    own = {
        TARGET,
        *(holder.library.packages.keys() - {"tests"}),
        *([holder.origin] if holder.starts_from_itself else []),
    }
    if not colon or origin in own:
        spelled = spelled_otherwise(model_type, {own_name: own_name for own_name in holder.model_names()})
        held = holder.find_model(model_type) or (None if spelled is None else holder.find_model(spelled))
        if held is not None:
            return Subject(held, TARGET)
        if colon:
            raise no_such_model(holder, model_type)
    if origin == TRANSFORMERS:
        return _published(model_type)
    try:
        reference = find_reference(name, None)
    except UnknownReference as error:
        raise no_such_model(holder, name) from error
    return Subject(registered_model(reference.library, reference.name.snake), reference.origin)


def _published(model_type: str) -> Subject:
    """A model of the installed Transformers, whose registry is data only once it has been imported."""
    folder = installed_package(TRANSFORMERS)
    if folder is None:
        raise AddModelError(f"no package {TRANSFORMERS!r} to find {model_type!r} in; install it: pip install transformers")  # fmt: skip
    auto = importlib.import_module(f"{TRANSFORMERS}.models.auto")
    mappings: dict[str, dict[str, str]] = {}
    for module in (auto.configuration_auto, auto.modeling_auto):
        for mapping, value in vars(module).items():
            if mapping.endswith("MAPPING_NAMES") and isinstance(value, Mapping):
                mappings[mapping] = {key: entry for key, entry in value.items() if isinstance(entry, str)}
    registry = Registry(mappings)
    classes = registry.classes(model_type)
    if CONFIGURATION_MAPPING not in classes or MODEL_MAPPING not in classes:
        likely = close(model_type, registry.model_types)
        raise AddModelError(f"the installed transformers has no model type {model_type!r}; nearest: {', '.join(likely) or 'none'}")  # fmt: skip
    module_name = auto.configuration_auto.model_type_to_module_name(model_type)
    package = f"{TRANSFORMERS}.models.{module_name}"
    held = HeldModel(
        library_at(folder),
        model_type,
        classes=classes,
        heads=registry.heads(model_type),
        folder=folder / "models" / module_name,
        package=package,
        shared_code=(),
        tests_folder=folder,
        shared_tests=(),
        docs_page=folder,
        model_card=folder,
    )
    return Subject(held, TRANSFORMERS)


def _put_first(source: str) -> None:
    """Puts a folder before all others that are imported from: what is installed may have a package of the same name."""
    if sys.path[:1] != [source]:
        sys.path[:] = [source, *(path for path in sys.path if path != source)]


def _forget_namesake(top: str, folder: Path) -> None:
    """Forgets a package of the same name that was imported from another folder."""
    loaded = sys.modules.get(top)
    if loaded is None or any(Path(path).resolve() == folder.resolve() for path in getattr(loaded, "__path__", ())):
        return
    for name in [name for name in sys.modules if name == top or name.startswith(f"{top}.")]:
        del sys.modules[name]
    # The other folder may still come first.
    source = str(folder.parent)
    if source in sys.path:
        sys.path.remove(source)


def _place(error: BaseException, folder: Path) -> str:
    """The file and line of the library's own that an error comes from."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else str(folder)


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextlib.contextmanager
def _limited(most_parts: int | None) -> Iterator[None]:
    """Refuses to build a model of more submodules and parameters than so many."""
    if most_parts is None:
        yield
        return
    from torch.nn.modules import module as hooks

    left = most_parts

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise AddModelError(f"the configuration asks for a model of more than {most_parts} submodules and parameters, far more than the checkpoint has weights for; correct its numbers of layers")  # fmt: skip

    handles = [hooks.register_module_module_registration_hook(count), hooks.register_module_parameter_registration_hook(count)]  # fmt: skip
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def _without_values() -> Iterator[None]:
    """Skips setting values in place, which means nothing where there are none.

    Drawing random values on `meta` would load PyTorch's symbolic machinery, 70 MB that a conversion does not need.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    class SkipInPlace(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            name = getattr(func, "__name__", "")
            target = args[0] if args else kwargs.get("tensor")
            in_place = name.endswith("_") and not name.endswith("__") and name != "requires_grad_"
            if in_place and isinstance(target, torch.Tensor) and target.is_meta:
                return target
            return func(*args, **kwargs)

    with SkipInPlace():
        yield


@contextlib.contextmanager
def _parameters_without_values() -> Iterator[None]:
    """Moves every parameter to `meta` before anything is written into its memory."""
    from torch import nn

    register = nn.Module.register_parameter

    def register_without_values(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        if parameter is not None and not parameter.is_meta:
            parameter = nn.Parameter(parameter.to("meta"), requires_grad=parameter.requires_grad)
        register(module, name, parameter)

    nn.Module.register_parameter = register_without_values  # type: ignore[method-assign,assignment]
    try:
        with _without_values():
            yield
    finally:
        nn.Module.register_parameter = register  # type: ignore[method-assign]
