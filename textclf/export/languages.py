"""English names of languages with many speakers, by their ISO 639 codes."""

_NAMES = """
ar Arabic, bg Bulgarian, bn Bengali, ca Catalan, cs Czech, da Danish, de German, el Greek,
en English, es Spanish, et Estonian, eu Basque, fa Persian, fi Finnish, fr French, gu Gujarati,
he Hebrew, hi Hindi, hr Croatian, hu Hungarian, hy Armenian, id Indonesian, it Italian, ja Japanese,
ka Georgian, kk Kazakh, km Khmer, kn Kannada, ko Korean, lo Lao, lt Lithuanian, lv Latvian,
ml Malayalam, mr Marathi, ms Malay, my Burmese, nl Dutch, no Norwegian, pa Punjabi, pl Polish,
pt Portuguese, ro Romanian, ru Russian, sk Slovak, sl Slovenian, sr Serbian, sv Swedish, sw Swahili,
ta Tamil, te Telugu, th Thai, tr Turkish, uk Ukrainian, ur Urdu, vi Vietnamese, zh Chinese
"""
NAMES: dict[str, str] = dict(pair.split() for pair in _NAMES.split(","))
CODES = {name: code for code, name in NAMES.items()}
