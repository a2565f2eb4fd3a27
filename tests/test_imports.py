"""Who may import whom (DESIGN, section 3), and what never loads TensorFlow."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kerasrun

ROOT = Path(kerasrun.__file__).parent
LAYERS = (  # a module imports from its own layer and from those above
    ("errors",),
    ("literals", "keras_names", "objects", "task", "settings", "environment", "atomic"),
    ("own_data", "class_folders", "inputs", "dataset_table", "tables", "images", "texts"),
    ("knobs", "npz_header", "recipe_files", "catalog"),
    ("schedules", "augmentations", "experiment_file", "experiment"),
    ("run_folder", "run_record", "sweep_record"),
    ("runs", "compile_cache", "run_index", "run_tables", "run_check", "differences", "incoming", "merging", "trained"),
    ("datasets", "layers", "recipes"),
    ("checkup", "description", "training", "continuation", "verification"),
    ("sweeps",),
    ("analysis",),
    ("cli", "__main__"),
)
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
ANALYSIS_READS = {
    "analysis",
    "runs",
    "run_record",
    "sweep_record",
    "run_index",
    "run_tables",
    "experiment",
    "catalog",
    "objects",
    "literals",
    "errors",
    "settings",
}
# run.model() loads what a training saved; a sweep trains by the same sentence as everything else
EXCEPTIONS = {("runs", "training"), ("sweeps", "__init__")}
LOADS_KERAS = {"layers", "recipes", "training"}


def part(path):
    """Return the part of the program that a file belongs to: a module of the top level, or a folder."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path, *, at_import=False):
    """Return (module, name) of all that a file imports; `at_import`: only what its import runs, not its functions."""
    found = set()

    def visit(node):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if at_import and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        if isinstance(node, ast.Import):
            found.update((alias.name, None) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.update((node.module, alias.name) for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def own_parts(path, **keywords):
    """Return the parts of kerasrun that a file imports from."""
    dotted = {f"{module}.{name}" if module == "kerasrun" else module for module, name in imports(path, **keywords)}
    found = {module.split(".")[1] for module in dotted if module.startswith("kerasrun.")}
    return {"__init__" if not (ROOT / name).is_dir() and not (ROOT / f"{name}.py").exists() else name for name in found}


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path):
    importer = part(path)
    if importer == "__init__":
        assert own_parts(path, at_import=True) == set(), "kerasrun/__init__.py imports inside its functions alone"
        return
    assert importer in RANK, f"{importer} has no place in LAYERS yet"
    imported = {name for name in own_parts(path) if (importer, name) not in EXCEPTIONS}
    if importer == "cli":
        imported.discard("__init__")  # `train` is the Python API's
    assert {name for name in imported if RANK[name] > RANK[importer]} == set()
    if importer == "analysis":
        assert imported <= ANALYSIS_READS
    elif importer != "cli":
        assert "analysis" not in imported
    if importer in ("recipes", "layers"):
        assert imported <= {"layers", "errors", "task"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_keras_is_imported_by_what_builds_networks_and_rich_by_the_console(path):
    at_import = {module.partition(".")[0] for module, _ in imports(path, at_import=True)}
    if part(path) not in LOADS_KERAS:
        assert not at_import & {"keras", "tensorflow"}
    if path not in (ROOT / "cli" / "console.py", ROOT / "cli" / "sweep_display.py"):
        assert "rich" not in {module.partition(".")[0] for module, _ in imports(path)}


PROGRAM = """
import json, sys
sys.argv = ["kerasrun", *json.loads(sys.argv[1])]
code = 0
try:
    import kerasrun
    if sys.argv[1:]:
        from kerasrun.cli import main
        main()
except SystemExit as ended:
    code = ended.code
heavy = ("tensorflow", "keras", "pandas", "sklearn", "scipy", "rich", "numpy", "jax", "torch")
print(json.dumps([code, [name for name in heavy if name in sys.modules]]))
"""


def test_the_map_of_the_analysis_names_every_module():
    package = ROOT / "analysis"
    named = re.findall(r"\w+", ast.get_docstring(ast.parse((package / "__init__.py").read_text())).partition("\n\n")[2])
    assert {path.stem for path in package.glob("*.py")} - {"__init__"} <= {*named}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 0),
        (["--help"], 0),
        (["train", "--help"], 0),
        (["recipes"], 0),
        (["recipes", "dense"], 0),
        (["train", "digits", "--optimizer", "rmsprob"], 2),
        (["train", "digist"], 2),
        (["train", "digits", "hiden=3"], 2),
        (["train", "digits", "--dry-run"], 0),
        (["show", "digits", "--optimiser", "adam"], 2),
        (["recipes", "dens"], 2),
        (["sweep", "digits", "optimizer=sgd,rmsprob"], 2),
    ],
    ids=str,
)
def test_what_is_asked_without_training_loads_nothing_heavy(words, code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(words)], capture_output=True, text=True, cwd=tmp_path
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [code, []], done.stderr
    assert list(tmp_path.iterdir()) == []
