"""Surroundings on which no byte of a result may depend: a user's environment variables and files at home."""

from pathlib import Path

# What a user may have set for other programs. Without textclf's own settings, some of these change the weights, and
# others end in a traceback.
VARIABLES = {
    "COLUMNS": "3",
    "FONTCONFIG_FILE": "/dev/null",
    "KERAS_BACKEND": "jax",
    "KERAS_MAX_EPOCHS": "1",
    "LANG": "tr_TR.UTF-8",
    "MALLOC_PERTURB_": "85",
    "MKL_NUM_THREADS": "7",
    "MPLBACKEND": "none",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3",
    "NPY_PROMOTION_STATE": "legacy",
    "OMP_NUM_THREADS": "7",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "OPENBLAS_CORETYPE": "Nehalem",
    "OPENBLAS_NUM_THREADS": "8",
    "PANDAS_FUTURE": "none",
    "SCIPY_ARRAY_API": "1",
    "SKLEARN_WORKING_MEMORY": "none",
    "SOURCE_DATE_EPOCH": "none",
    "TF2_BEHAVIOR": "0",
    "TF_DETERMINISTIC_OPS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_USE_LEGACY_KERAS": "1",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
    "VL_CONVERT_FONT_DIR": "/nowhere",
    "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2 --xla_cpu_enable_fast_math=true",
}
# Of Python itself; DVC would stop at some of them.
PYTHON_VARIABLES = {
    "LC_ALL": "C",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONHASHSEED": "4242",
    "PYTHONIOENCODING": "ascii",
    "PYTHONOPTIMIZE": "2",
    "PYTHONUTF8": "0",
    "PYTHONWARNINGS": "error",
    "TZ": "nowhere/at all",
}
NUMBERS = '{"backend": "jax", "floatx": "float64", "epsilon": 0.01, "image_data_format": "channels_first"}'
SERIF = '<alias binding="strong"><family>{}</family><prefer><family>DejaVu Serif</family></prefer></alias>'
FONTS = "".join(map(SERIF.format, ("sans-serif", "Liberation Sans", "Arimo", "Arial", "Helvetica")))
FILES = {
    ".config/dask/dask.yaml": "distributed: {worker: {preload: [no_such_module]}}\n",
    ".config/dvc/config": "[core]\n    autostage = true\n    checksum_jobs = 1\n[cache]\n    type = copy\n",
    ".config/fontconfig/fonts.conf": f"<fontconfig><dir>~/.fonts</dir>{FONTS}</fontconfig>",
    ".config/matplotlib/matplotlibrc": "font.size: 33\nsvg.fonttype: none\n",
    ".config/pip/pip.conf": "[global]\nuser = true\nrequire-virtualenv = false\n",
    ".gitconfig": "[core]\n\tautocrlf = true\n\tquotePath = true\n[color]\n\tui = always\n[status]\n\tshort = true\n",
    ".keras/keras.json": NUMBERS,
}


def fill_home(home: Path) -> dict[str, str]:
    """Write the files of a user with settings of his own; return the variables that name this home."""
    for name, text in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "DVC_GLOBAL_CONFIG_DIR": str(home / ".config" / "dvc"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
    }
