"""Made-up tables of texts in scripts that write no spaces between words, in which words decide the class."""

import random
from collections.abc import Sequence
from pathlib import Path

from tests.unit.tables.tables import delimited

# Of each language: what is rated, words of both classes, words of the class bad, words of the class good, full stop.
WORDS: dict[str, tuple[str, str, str, str, str]] = {
    "Chinese": (
        "这家餐厅 那个手机 这本书 昨天的电影 酒店房间 客服人员 新款耳机 外卖",
        "真的 我觉得 朋友说 总体 最近 一直 确实 和以前一样 对我们来说 这次",
        "糟糕 难吃 失望 破旧 浪费钱 太慢 无聊 不推荐",
        "好吃 满意 精彩 干净 值得 很快 喜欢 推荐给大家",
        "。",
    ),
    "Japanese": (
        "この店は この本は ホテルの部屋は スタッフは 新しいスマホは 昨日の映画は 料理は 配達は",
        "本当に 正直 友達も言うように 全体的に いつも 今回も 前と同じで 思ったより やっぱり とても",
        "ひどい まずい 残念だった 汚い 退屈だった 遅い 高すぎる 最悪だ",
        "すばらしい おいしい 楽しかった きれいだ 感動した 早い お得だ 最高だ",
        "。",
    ),
    "Thai": (
        "ร้านนี้ หนังสือเล่มนี้ ห้องพัก พนักงาน มือถือรุ่นใหม่ หนังเมื่อวาน อาหาร การจัดส่ง",
        "จริงๆ ฉันคิดว่า เพื่อนบอกว่า โดยรวม ตลอด ครั้งนี้ เหมือนเดิม สำหรับเรา ช่วงนี้ ก็",
        "แย่มาก ไม่อร่อย ผิดหวัง สกปรก น่าเบื่อ ช้าเกินไป แพงเกินไป เสียเงินเปล่า",
        "ดีมาก อร่อย ประทับใจ สะอาด สนุก รวดเร็ว คุ้มค่า แนะนำเลย",
        "",
    ),
}


def rows(language: str, count: int = 400, seed: int = 0) -> list[tuple[str, str]]:
    """Return texts without spaces and their labels, bad and good in turn."""
    draw = random.Random(seed)  # noqa: S311 (no secret)
    subjects, fillers, bad, good, stop = WORDS[language]
    made: dict[str, str] = {}
    while len(made) < count:
        label = ("bad", "good")[len(made) % 2]
        said = draw.choice((bad if label == "bad" else good).split())
        words: Sequence[str] = [draw.choice(subjects.split()), *draw.sample(fillers.split(), 3), said]
        made.setdefault("".join(words) + stop, label)
    return list(made.items())


def write_table(path: Path, language: str) -> None:
    path.write_text(delimited([("text", "label"), *rows(language)]), encoding="utf-8")
