"""The plugin manager: finds plugins, asks every hook once, and says which plugin gave what. Nothing else calls a
hook, but `commands` that of commands, which is asked without a workspace.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import pluggy
from attrs import define, evolve, field

from kpi_rules.hooks import builtin, builtin_checks, builtin_credits, specs
from kpi_rules.hooks.where import line_of, line_of_function
from kpi_rules.locale import _
from kpi_rules.model.contributions import (
    Check,
    Configured,
    Credit,
    Forecast,
    Guard,
    Indicator,
    PaceCurve,
    Rule,
    Trouble,
    owned,
)
from kpi_rules.model.entries import entry_points, version
from kpi_rules.model.problems import Place, Problem, error, nearest
from kpi_rules.model.settings import TableSetting, declared_settings, declared_tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from types import ModuleType

    from kpi_rules.model.entries import Entry
    from kpi_rules.model.settings import Setting

_Given = TypeVar("_Given")

GROUP = "kpi_rules"
"""The entry-point group in which installed policies are found."""

CONTRIBUTED: Final[Mapping[str, type]] = {
    "kpi_checks": Check,
    "kpi_credits": Credit,
    "kpi_indicators": Indicator,
    "kpi_pace_curves": PaceCurve,
    "kpi_policy_rules": Rule,
    "kpi_guards": Guard,
    "kpi_forecasts": Forecast,
}
"""What the items of each hook's list are."""

CONFIGURED: Final[Mapping[str, type]] = {
    "rules": Rule,
    "indicators": Indicator,
    "credits": Credit,
    "checks": Check,
    "guards": Guard,
    "problems": Trouble,
}
"""What the items of each field of `Configured` are."""

BUILT_IN = "kpi_rules"
"""The name under which the library's own pace curves and forecasts enter, by the same door as everybody's."""

BUILT_INS: Final[Mapping[str, ModuleType]] = {
    BUILT_IN: builtin,
    builtin_checks.NAME: builtin_checks,
    builtin_credits.NAME: builtin_credits,
}
"""What the library itself contributes, by name; always on."""


DECLARED: Final = "local"
"""The name of the rules without Python of `kpi.toml`, which no policy may have."""


@define(frozen=True)
class Plugin:
    """Where a plugin comes from: the provenance of everything it contributes.

    `version` is the distribution's version, or for a local file the first twelve digits of the SHA-256 of its text.
    """

    name: str
    origin: Literal["built in", "installed", "local", "declared"]
    distribution: str
    version: str


@define(frozen=True, eq=False)
class Plugins:
    """Everything the plugins of a workspace contribute, by name, and who contributed it.

    `tables` are those of policies in `kpi.toml`, by full name. `owners` maps `kind:name` (such as
    `check:above_contract`) to the plugin's name, `places` to where in `kpi.toml` a policy made it from its tables, and
    `domains` installed policies to their packages, whose catalogues translate their texts. `off` are the rules that the
    workspace switches off. `broken` are the policies that failed to load, or a part of which did: of what they would
    have contributed nothing is known, and nothing missing for that reason is a second problem.
    """

    plugins: tuple[Plugin, ...] = ()
    settings: Mapping[str, Setting] = field(factory=dict)
    checks: Mapping[str, Check] = field(factory=dict)
    credits: Mapping[str, Credit] = field(factory=dict)
    indicators: Mapping[str, Indicator] = field(factory=dict)
    pace_curves: Mapping[str, PaceCurve] = field(factory=dict)
    rules: Mapping[str, Rule] = field(factory=dict)
    off: Mapping[str, Rule] = field(factory=dict)
    guards: Mapping[str, Guard] = field(factory=dict)
    forecasts: Mapping[str, Forecast] = field(factory=dict)
    tables: Mapping[str, TableSetting] = field(factory=dict)
    owners: Mapping[str, str] = field(factory=dict)
    places: Mapping[str, Place] = field(factory=dict)
    domains: Mapping[str, str] = field(factory=dict)
    broken: frozenset[str] = frozenset()

    def without(self, off: Collection[str]) -> Plugins:
        """Return the same with these rules and no others switched off, by id; what there is not changes nothing."""
        every = dict(sorted({**self.rules, **self.off}.items()))
        rules = {name: rule for name, rule in every.items() if name not in off}
        return evolve(self, rules=rules, off={name: rule for name, rule in every.items() if name in off})

    def provenance(self, kind: str, name: str) -> Plugin | None:
        """Return the plugin that contributed `name`; `kind` is `rule`, `check`, `credit`, `indicator`, `pace_curve`,
        `guard` or `forecast`.
        """
        owner = self.owners.get(f"{kind}:{name}")
        return next((plugin for plugin in self.plugins if plugin.name == owner), None)


def installed() -> dict[str, Entry]:
    """Return the installed policies by name, without importing any."""
    return {entry.name: entry for entry in sorted(entry_points(GROUP), key=lambda entry: entry.name)}


def installed_policies() -> list[str]:
    """Return the names of the installed policies, which `[plugins] enabled` may name, without importing any."""
    return list(installed())


ReadItems = Callable[[Mapping[str, TableSetting]], Mapping[str, tuple[Any, ...]]]
"""Reads the tables of policies in `kpi.toml`, given what they may hold by full name: the items of each."""

Locate = Callable[[str, Trouble], Problem]
"""Gives what a policy finds wrong with its tables its place in `kpi.toml`."""


def load_plugins(
    enabled: Sequence[str],
    local: Sequence[str],
    folder: Path | None,
    file: str = "kpi.toml",
    *,
    declared: Sequence[tuple[ModuleType, Plugin]] = (),
    read_items: ReadItems | None = None,
    locate: Locate | None = None,
) -> tuple[Plugins, list[Problem]]:
    """Load the plugins a workspace names and ask each hook once.

    Args:
        enabled: names of installed policies.
        local: policies of one file each, relative to `folder`.
        folder: the workspace's folder; None for a workspace in memory, which has no local files.
        file: where the names stand, for problems.
        declared: policies made of what `kpi.toml` itself declares.
        read_items: reads the tables that policies have in `kpi.toml`; None where there are none.
        locate: gives what a policy says of them a place.

    Returns:
        What they contribute, and every problem: a name not installed, a file that fails to load, a misspelt hook, a
        hook that raises, a name given twice. What failed contributes nothing.
    """
    loading = _Loading(file)
    for module, plugin in declared:
        loading.register(module, plugin)
    return loading.load(enabled, local, folder, read_items, locate)


class _Loading:
    """One loading of plugins: collects what they give and what went wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.found: list[Plugin] = []
        self.modules: dict[str, ModuleType] = {}
        self.files: dict[str, tuple[str, Path]] = {}
        self.broken: set[str] = set()
        self.owners: dict[str, str] = {}
        self.places: dict[str, Place] = {}
        self.configured: dict[str, list[tuple[str, Sequence[Any]]]] = {
            kind: [] for kind in ("rules", "indicators", "credits", "checks", "guards")
        }
        self.manager = pluggy.PluginManager("kpi_rules")
        self.manager.add_hookspecs(specs)

    def load(
        self,
        enabled: Sequence[str],
        local: Sequence[str],
        folder: Path | None,
        read_items: ReadItems | None = None,
        locate: Locate | None = None,
    ) -> tuple[Plugins, list[Problem]]:
        for name, module in BUILT_INS.items():
            self.register(module, Plugin(name, "built in", "kpi-rules", version()))
        self._register_installed(enabled)
        for name in local:
            self._register_file(name, folder)
        settings: dict[str, Setting] = {}
        tables: dict[str, TableSetting] = {}
        for plugin, declared in self._each("kpi_settings"):
            settings |= self._guarded(plugin, "kpi_settings", partial(declared_settings, plugin, declared)) or {}
            tables |= self._guarded(plugin, "kpi_settings", partial(declared_tables, plugin, declared)) or {}
        items = read_items(tables) if read_items is not None else {}
        self._configure({name: items.get(name, ()) for name in tables}, locate)
        rules = [
            (plugin, owned(rule, plugin, self.modules[plugin].__name__))
            for plugin, given in [*self._each("kpi_policy_rules"), *self.configured["rules"]]
            for rule in given
        ]
        contributed = Plugins(
            plugins=tuple(sorted(self.found, key=lambda plugin: plugin.name)),
            settings=settings,
            checks=self._named("check", "kpi_checks"),
            credits=self._named("credit", "kpi_credits"),
            indicators=self._named("indicator", "kpi_indicators"),
            pace_curves=self._named("pace_curve", "kpi_pace_curves"),
            rules=self._merge("rule", ((plugin, rule.id, rule) for plugin, rule in rules)),
            guards=self._named("guard", "kpi_guards"),
            forecasts=self._named("forecast", "kpi_forecasts"),
            tables=tables,
            owners=self.owners,
            places=self.places,
            domains={each.name: self.modules[each.name].__name__ for each in self.found if each.origin == "installed"},
            broken=frozenset(self.broken),
        )
        return contributed, self.problems

    def _configure(self, items: Mapping[str, tuple[Any, ...]], locate: Locate | None) -> None:
        """Hand each policy its own tables and keep what it makes of them."""
        callers = sorted(self.manager.hook.kpi_configured.get_hookimpls(), key=lambda call: call.plugin_name)
        for call in callers:
            plugin = call.plugin_name
            own = {name.partition(".")[2]: each for name, each in items.items() if name.startswith(f"{plugin}.")}
            given = self._guarded(
                plugin, "kpi_configured", partial(_ask, "kpi_configured", partial(call.function, own))
            )
            if given is None:
                continue
            for kind in self.configured:
                self.configured[kind].append((plugin, getattr(given, kind)))
            if locate is not None:
                self.problems += [locate(plugin, trouble) for trouble in given.problems]
                for name, path in given.places.items():
                    key = name.replace("rule ", f"rule {plugin}.", 1).replace(" ", ":", 1)
                    self.places[key] = locate(plugin, Trouble(path, "", "")).place

    def _register_installed(self, enabled: Sequence[str]) -> None:
        available = installed()
        for name in dict.fromkeys(enabled):
            entry = available.get(name)
            if entry is None:
                self._problem(
                    "unknown-plugin",
                    "plugins.enabled",
                    found=_("policy {name}, which is not installed").format(name=name),
                    expected=_("an installed policy: {names}").format(names=", ".join(available)),
                    hint=nearest(name, available),
                )
                continue
            module = self._guarded(name, _("its import"), entry.load)
            if module is not None:
                distribution = entry.dist
                self.register(
                    module,
                    Plugin(
                        name,
                        "installed",
                        distribution.name if distribution else "",
                        distribution.version if distribution else "",
                    ),
                )

    def _register_file(self, name: str, folder: Path | None) -> None:
        path = (folder / name) if folder is not None else None
        if path is None or not path.is_file():
            self.broken.add(Path(name).stem)
            self._problem(
                "local-policy-missing",
                "plugins.local",
                found=_("no file {name}").format(name=name),
                expected=_("a Python file beside kpi.toml"),
                hint=nearest(name, [p.relative_to(folder).as_posix() for p in folder.rglob("*.py")])
                if folder
                else None,
            )
            return
        short = path.stem
        self.files.setdefault(short, (name, path))
        module = self._guarded(short, _("its import"), lambda: _import_file(short, path))
        if module is not None:
            from hashlib import sha256  # loads OpenSSL

            version = sha256(path.read_bytes()).hexdigest()[:12]
            self.register(module, Plugin(short, "local", name, version))

    def register(self, module: ModuleType, plugin: Plugin) -> None:
        if self.manager.has_plugin(plugin.name):
            other = next(known for known in self.found if known.name == plugin.name)
            self._clash(
                "plugin",
                plugin.name,
                f"{other.distribution} ({other.origin})",
                f"{plugin.distribution} ({plugin.origin})",
            )
            return
        misnamed = self._check_names(module, plugin)
        try:
            self.manager.register(module, name=plugin.name)
            self.manager.check_pending()
        except pluggy.PluginValidationError as problem:
            if self.manager.has_plugin(plugin.name):
                self.manager.unregister(name=plugin.name)
            if not misnamed:
                self._failed(plugin.name, _("its registration"), _without_paths(problem))
            return
        self.found.append(plugin)
        self.modules[plugin.name] = module

    def _check_names(self, module: ModuleType, plugin: Plugin) -> bool:
        """Name the functions that look like hooks and are none, misspelt or unmarked; pluggy says nothing of them."""
        before = len(self.problems)
        known = [name for name in vars(specs) if name.startswith("kpi_")]
        for name, function in sorted(vars(module).items()):
            if not name.startswith("kpi_") or not callable(function):
                continue
            if name not in known:
                found = _("the unknown hook {hook} in policy {name}")
                expected = _("one of the hooks {names}").format(names=", ".join(known))
            elif not hasattr(function, "kpi_rules_impl"):
                found, expected = _("hook {hook} in policy {name}, without a mark"), _("the mark @hookimpl above it")
            else:
                continue
            self._problem(
                "unknown-hook",
                self._place(plugin.name, partial(line_of_function, function)),
                found=found.format(hook=name, name=plugin.name),
                expected=expected,
                hint=nearest(name, known) if name not in known else None,
            )
            self.broken.add(plugin.name)
        return len(self.problems) > before

    def _each(self, hook: str) -> Iterator[tuple[str, Any]]:
        """Ask one hook, plugin by plugin in the order of their names, so that one that raises is named and stops no
        other.
        """
        callers = sorted(getattr(self.manager.hook, hook).get_hookimpls(), key=lambda call: call.plugin_name)
        for call in callers:
            given = self._guarded(call.plugin_name, hook, partial(_ask, hook, call.function))
            if given is not None:
                yield call.plugin_name, given

    def _named(self, kind: str, hook: str) -> dict[str, Any]:
        given = [*self._each(hook), *self.configured.get(f"{kind}s", ())]
        return self._merge(
            kind, ((plugin, item.name, self._translated(plugin, item)) for plugin, items in given for item in items)
        )

    def _translated(self, plugin: str, item: Any) -> Any:  # noqa: ANN401 (any contribution)
        """Return a check or an indicator as one whose texts its own package translates; the library's stay."""
        if not isinstance(item, (Check, Indicator)) or plugin in BUILT_INS:
            return item
        return evolve(item, domain=self.modules[plugin].__name__)

    def _merge(self, kind: str, items: Iterable[tuple[str, str, Any]]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for plugin, name, item in items:
            if name in merged:
                self._clash(kind, name, self.owners[f"{kind}:{name}"], plugin)
                continue
            merged[name] = item
            self.owners[f"{kind}:{name}"] = plugin
        return dict(sorted(merged.items()))

    def _guarded(self, plugin: str, doing: str, call: Callable[[], _Given]) -> _Given | None:
        try:
            return call()
        except (Exception, SystemExit) as problem:  # noqa: BLE001 (a plugin may raise anything; it is named and reported)
            self._failed(plugin, doing, f"{type(problem).__name__}: {_said(problem)}", partial(line_of, problem))
            return None

    def _failed(self, plugin: str, doing: str, why: str, line: Callable[[Path], int | None] | None = None) -> None:
        self.broken.add(plugin)
        self._problem(
            "plugin-failed",
            self._place(plugin, line),
            found=_("policy {name} failed in {doing}: {why}").format(name=plugin, doing=doing, why=why),
            expected=_("a policy that loads"),
        )

    def _place(self, plugin: str, line: Callable[[Path], int | None] | None = None) -> Place:
        """Return a policy's own file, and the line of it that is asked for; the file that names it where it has none
        in the workspace.
        """
        if plugin not in self.files:
            return Place(file=self.file, key="plugins")
        name, path = self.files[plugin]
        return Place(file=name, line=None if line is None else line(path))

    def _clash(self, kind: str, name: str, first: str, second: str) -> None:
        self._problem(
            "plugin-clash",
            "plugins",
            found=_("{kind} {name} from both {first} and {second}").format(
                kind=kind, name=name, first=first, second=second
            ),
            expected=_("one owner for each name"),
        )

    def _problem(self, code: str, at: str | Place, *, found: str, expected: str, hint: str | None = None) -> None:
        """Keep a problem at a place, or at a key of the file that names the policies."""
        place = Place(file=self.file, key=at) if isinstance(at, str) else at
        self.problems.append(error(code, place, found=found, expected=expected, nearest=hint))


def _ask(hook: str, function: Callable[[], Any]) -> Any:  # noqa: ANN401 (what the hook's specification says)
    """Call an implementation and return what it gives, if that is what the specification says.

    Raises:
        TypeError: it is something else, None included: a `return` is easily forgotten.
    """
    given = function()
    if hook == "kpi_settings":
        if not isinstance(given, type):
            raise TypeError(_("a class of settings is expected, not {value}").format(value=repr(given)))
        return given
    if hook == "kpi_configured":
        if not isinstance(given, Configured):
            raise TypeError(_("{kind} is expected, not {value}").format(kind="Configured", value=repr(given)))
        for name, kind in CONFIGURED.items():
            _only(kind, getattr(given, name))
        return given
    kind = CONTRIBUTED[hook]
    found = list(given) if isinstance(given, Iterable) else [given]
    _only(kind, found)
    if not isinstance(given, Iterable):
        raise TypeError(_("a list of {kind} is expected, not a single one").format(kind=kind.__name__))
    return found


def _only(kind: type, items: Iterable[Any]) -> None:
    """Make sure that a list holds nothing else than it should."""
    for item in items:
        if not isinstance(item, kind):
            raise TypeError(_("a list of {kind} is expected, not {value}").format(kind=kind.__name__, value=repr(item)))


def _said(problem: BaseException) -> str:
    """Return an exception's message; that of the grammar without the file and the line, which are told as its place."""
    return problem.msg if isinstance(problem, SyntaxError) else str(problem)


def _without_paths(problem: Exception) -> str:
    """Return pluggy's message on one line, without the file names of this machine."""
    return " ".join(re.sub(r"<module '(\S+)' from '[^']*'>", r"\1", str(problem)).split())


def _import_file(name: str, path: Path) -> ModuleType:
    """Import a policy of one file under a name of its own, so that two workspaces never share one."""
    from hashlib import sha256  # loads OpenSSL

    unique = f"kpi_rules_local_{sha256(str(path.resolve()).encode()).hexdigest()[:12]}_{name}"
    spec = importlib.util.spec_from_file_location(unique, path)
    if spec is None or spec.loader is None:
        msg = f"{path.name} is no Python file"
        raise ImportError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[unique]
        raise
    return module
