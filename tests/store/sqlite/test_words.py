"""Words are split in Python exactly as SQLite's full-text index splits them, so that every database finds the same entries."""

from __future__ import annotations

import random

from bot.store.sqlite.driver import sqlite3
from bot.store.tables.audit_query import words

SCRIPTS = (
    "abcXYZ019_-/.:,;()[]{}'\"*^@#$%&+=<>|~` \t\n",
    "éÉèüÜßñçÅøÆœŠžİıﬁ½²µªº…«»",
    "абвЙйЁёЯяҐґіїѣ",
    "αάΆΩώϊΰςΣσ",
    "אבגדהשׁלוֹם",
    "ابجدهوزةىي٠١٢",
    "東京都日本語カタカナﾊﾝｶｸ한국어中文",
    "देवनागरी हिन्दी",
    "ไทยภาษา",
    "e\u0301a\u0308n\u0303o\u0327",
    "🚂😀👍🏽✓→",
)


def split_by_fts5(texts: list[str]) -> list[list[str]]:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE found USING fts5(text)")
    db.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(found, 'instance')")
    db.executemany("INSERT INTO found (rowid, text) VALUES (?, ?)", enumerate(texts))
    split: list[list[str]] = [[] for _ in texts]
    for term, doc in db.execute("SELECT term, doc FROM terms ORDER BY doc, offset"):
        split[doc].append(term)
    db.close()
    return split


def test_two_thousand_texts_in_many_scripts_are_split_as_sqlite_does() -> None:
    chance = random.Random(7)
    texts = ["".join(chance.choices("".join(chance.sample(SCRIPTS, 2)) + "  ", k=24)) for _ in range(2000)]
    differ = [
        (text, words(text), theirs)
        for text, theirs in zip(texts, split_by_fts5(texts), strict=True)
        if words(text) != theirs
    ]
    assert not differ, (len(differ), differ[:5])
