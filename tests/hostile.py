"""Environment variables and files at home on which no byte of a result may depend."""

import json
from pathlib import Path

# What a user may have set for other programs. Without textclf's own settings, some of these change
# the weights, and others end in a traceback. At some of Python itself DVC would stop.
VARIABLES, PYTHON_VARIABLES = json.loads(
    Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
).values()
NUMBERS = (
    '{"backend": "jax", "floatx": "float64", "epsilon": 0.01, "image_data_format": '
    '"channels_first"}'
)
SERIF = (
    '<alias binding="strong"><family>{}</family><prefer><family>DejaVu '
    "Serif</family></prefer></alias>"
)
FONTS = "".join(map(SERIF.format, ("sans-serif", "Liberation Sans", "Arimo", "Arial", "Helvetica")))
FILES = {
    ".config/dask/dask.yaml": "distributed: {worker: {preload: [no_such_module]}}\n",
    ".config/dvc/config": (
        "[core]\n    autostage = true\n    checksum_jobs = 1\n[cache]\n    type = copy\n"
    ),
    ".config/fontconfig/fonts.conf": f"<fontconfig><dir>~/.fonts</dir>{FONTS}</fontconfig>",
    ".config/matplotlib/matplotlibrc": "font.size: 33\nsvg.fonttype: none\n",
    ".config/pip/pip.conf": "[global]\nuser = true\nrequire-virtualenv = false\n",
    ".gitconfig": (
        "[core]\n\tautocrlf = true\n\tquotePath = true\n[color]\n\tui = always\n"
        "[status]\n\tshort = true\n"
    ),
    ".keras/keras.json": NUMBERS,
}


def fill_home(home: Path) -> dict[str, str]:
    """Write the files of a user with settings of his own; return the variables of this home."""
    for name, text in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "DVC_GLOBAL_CONFIG_DIR": str(home / ".config" / "dvc"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
    }
