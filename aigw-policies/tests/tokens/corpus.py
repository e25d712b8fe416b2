"""Writes corpus.jsonl: texts with their tokens by OpenAI's own tokenizer.

    python3 -m pip install tiktoken
    python3 corpus.py FOLDER > corpus.jsonl

FOLDER holds the vocabularies as *.tiktoken, which the crate tiktoken-rs carries in its `assets`: so
nothing is downloaded, and the reference differs from the crate in its code alone. Patterns are those
of tiktoken's own openai_public.py. The texts are made here, or read from texts/.

Each line has a group, a text and, for each encoding, how many tokens it has and the FNV-1a hash, 32
bits, of their ids as four bytes each, little-endian. What looks like a special token is text.
"""

import base64
import json
import pathlib
import random
import sys

import tiktoken
import tiktoken_ext.openai_public as public

HERE = pathlib.Path(__file__).parent
ENCODINGS = ("o200k_base", "cl100k_base", "p50k_base", "r50k_base")


def encoding(folder, name):
    """An encoding as tiktoken has it, with its vocabulary from a folder."""
    lines = (folder / f"{name}.tiktoken").read_bytes().splitlines()
    pairs = (line.split() for line in lines if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    public.load_tiktoken_bpe = lambda *_, **__: ranks
    made = getattr(public, name)()
    # That of p50k_base counts the special token in.
    made.pop("explicit_n_vocab", None)
    return tiktoken.Encoding(**made)


def paragraphs(name, separator="\n"):
    return [part for part in (HERE / "texts" / name).read_text("utf-8").split(separator) if part]


def texts(chance):
    """Pairs of a group and a text."""
    prose = {name: paragraphs(f"{name}.txt") for name in ("english", "japanese", "arabic")}
    for name, parts in prose.items():
        yield from ((name, part) for part in parts)
        for _ in range(4):
            yield name, "\n\n".join(chance.sample(parts, 5))
    code = [part.strip("\n") for part in paragraphs("code.txt", "----")]
    yield from (("code", part) for part in code)
    yield from (("code", part.replace("    ", "\t").replace("\n", "\r\n")) for part in code[:8])

    for indent in (None, 1, 4):
        value = {"id": 7, "price": -0.25e-7, "tags": ["a", "β", "日本"], "deep": [[[{"null": None}]]]}
        yield "json", json.dumps(value, indent=indent)
        yield "json", json.dumps(value, indent=indent, ensure_ascii=False)
    yield "json", json.dumps([{"user_id": n, "email": f"user{n}@example.com"} for n in range(20)])

    emoji = "😀 👍🏽 👩‍👩‍👧‍👦 🇯🇵🇫🇷 ❤️‍🔥 🫠 ☕️ 1️⃣ 🏳️‍🌈 ⚠️"
    yield "emoji", emoji
    yield "emoji", emoji.replace(" ", "")
    yield "emoji", "So good!!! 🎉🎉🎉 see you at 8 🍕"
    yield from (("emoji", "".join(chr(chance.randrange(0x1F300, 0x1FAFF)) for _ in range(n))) for n in (1, 3, 17, 60))

    specials = ["<|endoftext|>", "<|endofprompt|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"]
    specials += ["<|im_start|>user<|im_sep|>", "<|im_end|>", "<|start|>system<|message|>", "<|return|>"]
    yield from (("special", special) for special in specials)
    yield from (("special", f"before{special} after\n{special}{special}") for special in specials)
    yield "special", "<|endoftext" + "|>" * 5 + "<|<|endoftext|>|>"

    for blank in (" ", "\n", "\t", "\r\n", " \n", "\n ", "\u00a0", "\u3000", "\u2028", "\x0b", "\x85", "\x1c"):
        for count in (1, 2, 3, 8, 65, 130):
            yield "blank", blank * count
            yield "blank", f"x{blank * count}y{blank * count}1{blank * count}!"
    for word in ("don't", "DON'T", "we'LL've", "o'clock", "'s", "it’s", "X'Re", "ſ's", "'T'was"):
        yield "word", word
        yield "word", f" {word} {word}\n{word}"
    for word in ("camelCaseWords", "HTTPServer2XX", "snake_case_words", "ǅungla", "straße", "ﬁn", "İstanbul", "e\u0301té"):
        yield "word", f"{word} {word}"
    for number in ("7", "1234567890", "3.14159", "١٢٣٤٥", "Ⅻ", "½", "1,000,000.00", "0x7fffffff", "2024-02-29T23:59:60Z"):
        yield "number", number
        yield "number", f"n={number}/{number}"
    for letter in ("a", "A", "ä", "é", "!", "=", "-", "/", "\u0301", "漢", "あ", "ا", "가", "ก", "😀", "\ufffd", "\0"):
        for count in (1, 2, 7, 99, 100, 101, 300):
            yield "run", letter * count

    ranges = [(0x400, 0x460), (0x370, 0x400), (0x590, 0x5F0), (0x900, 0x970), (0xE00, 0xE5C), (0xAC00, 0xD7A4)]
    ranges += [(0x4E00, 0xA000), (0x3041, 0x3097), (0x1F00, 0x2000), (0x10A0, 0x1100), (0x1D400, 0x1D800), (0x20, 0x2FF)]
    for first, last in ranges:
        for count in (5, 40, 150):
            letters = (chr(chance.randrange(first, last)) for _ in range(count))
            yield "script", "".join(letter + " " * (chance.random() < 0.15) for letter in letters)

    for count in (1, 2, 3, 16, 90, 120, 400):
        for _ in range(4):
            yield "bytes", chance.randbytes(count).decode("utf-8", "replace")
    for count in (30, 90, 300, 700):
        yield "base64", base64.b64encode(chance.randbytes(count)).decode()
        yield "base64", base64.urlsafe_b64encode(chance.randbytes(count)).decode()
        yield "base64", chance.randbytes(count).hex()
    alphabet = "aZé漢あاก1٣ \n\t'.,-_/(\u0301\u200d😀\ufffd"
    for count in (5, 20, 60, 200):
        for _ in range(20):
            yield "mixture", "".join(chance.choice(alphabet) for _ in range(count))


def fingerprint(ids):
    value = 0x811C9DC5
    for byte in b"".join(token.to_bytes(4, "little") for token in ids):
        value = (value ^ byte) * 0x01000193 % (1 << 32)
    return value


def main():
    folder = pathlib.Path(sys.argv[1])
    encodings = {name: encoding(folder, name) for name in ENCODINGS}
    seen = set()
    for group, text in texts(random.Random(20240229)):
        if text in seen:
            continue
        seen.add(text)
        line = [group, text]
        for coder in encodings.values():
            ids = coder.encode_ordinary(text)
            assert coder.decode(ids) == text, text
            line += [len(ids), fingerprint(ids)]
        print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
