"""Logic-RL's knights and knaves: its reward, and the generator of its data (mem-kk-logic's), as
their description has them.

The published reward also prints every completion; this one prints nothing.
"""

import itertools
import random
import re

TAGS = ("<think>", "</think>", "<answer>", "</answer>")
NAMES = ("Emma Liam Olivia Noah Ava Ethan Sophia Mason Isabella William Mia James Charlotte "
         "Benjamin Amelia Lucas Harper Henry Evelyn Alexander Abigail Michael Emily Daniel "
         "Elizabeth Jacob Sofia Logan Avery Jackson Ella Sebastian Scarlett Jack Grace Aiden Chloe "
         "Owen Victoria Samuel Riley Matthew Aria Joseph Lily Luke Aurora David Zoey Oliver "
         "Penelope").split()
WORDINGS = ("{} said that {}.", "{} told you that {}.", '{} said, "{}."', '{} stated, "{}".',
            'According to {}, "{}".', '{} remarked, "{}".', "{} expressed that {}.")
JOIN = {"and": " and ", "or": " or ", "<=>": " if and only if "}


def reward(text, solution):
    """Of prompt + completion; solution: lines such as `(1) Zoey is a knight`."""
    for header in ("Assistant:", "<|im_start|>assistant"):
        if header in text:
            response = text.split(header, 1)[1]
            found = re.findall(r"<answer>(.*?)</answer>", response, re.DOTALL)
            answer = found[-1].strip() if found else None
            break
    else:
        response, answer = text, None
    gold = {}
    for line in solution.split("\n"):
        match = re.search(r"\b([A-Za-z]+)\b.*?\b(knight|knave)\b", line.strip(), re.IGNORECASE)
        if match:
            gold[match.group(1)] = match.group(2).lower()
    places = [response.find(tag) for tag in TAGS]
    if any(response.count(tag) != 1 for tag in TAGS) or places != sorted(places):
        return -3.0
    if not answer:
        return -1.0
    lower = answer.lower()
    if lower.count("knight") + lower.count("knave") != len(gold):
        return -1.0
    said = {}
    for name in gold:
        match = re.search(rf"\b{re.escape(name)}\b\s+is\s+a\s+\b(knight|knave)\b", answer,
                          re.IGNORECASE)
        if not match:
            return -1.0
        said[name] = match.group(1).lower()
    return 3.0 if said == gold else -0.5


class Generator:
    """Puzzles of depth 2 and width 2 with one solution, none twice, in words.

    Draws with `random`, which is quicker here than numpy's generator in the original.
    """

    def __init__(self, people):
        self.people, self.rng, self.seen = people, random.Random(1234), set()

    def statement(self, person, depth=2):
        rng = self.rng
        dice = rng.randrange(6)
        if depth == 1 or dice == 0:
            while True:
                kind, about = rng.choice(("telling-truth", "lying")), rng.randrange(self.people)
                if kind != "lying" or about != person:
                    return kind, about
        if dice == 1:
            return "not", self.statement(person, depth - 1)
        op = ("and", "or", "->", "<=>")[dice - 2]
        parts = []
        while len(parts) < 2:
            part = self.statement(person, depth - 1)
            if part not in parts:
                parts.append(part)
        return op, *parts

    def is_true(self, statement, world):
        op = statement[0]
        if op == "telling-truth":
            return world[statement[1]]
        if op == "lying":
            return not world[statement[1]]
        if op == "not":
            return not self.is_true(statement[1], world)
        parts = [self.is_true(part, world) for part in statement[1:]]
        if op == "and":
            return all(parts)
        if op == "or":
            return any(parts)
        return not parts[0] or parts[1] if op == "->" else parts[0] == parts[1]

    def solutions(self, puzzle):
        for world in itertools.product((True, False), repeat=self.people):
            if all(world[i] == self.is_true(says, world) for i, says in enumerate(puzzle)):
                yield world

    def words(self, statement, names):
        op = statement[0]
        if op in ("telling-truth", "lying"):
            return f"{names[statement[1]]} is a {'knight' if op == 'telling-truth' else 'knave'}"
        if op == "not":
            leaf = statement[1]
            return self.words(leaf, names).replace(" is a ", " is not a ")
        parts = [self.words(part, names) for part in statement[1:]]
        return f"If {parts[0]} then {parts[1]}" if op == "->" else JOIN[op].join(parts)

    def generate(self):
        """One puzzle: its text and its solution."""
        while True:
            puzzle = tuple(self.statement(i) for i in range(self.people))
            if puzzle in self.seen:
                continue
            found = list(self.solutions(puzzle))
            if len(found) == 1:
                break
        self.seen.add(puzzle)
        names = self.rng.sample(NAMES, self.people)
        text = ("A very special island is inhabited only by knights and knaves. Knights always "
                "tell the truth, and knaves always lie. You meet "
                f"{self.people} inhabitants: {', '.join(names[:-1])}, and {names[-1]}.")
        for name, says in zip(names, puzzle):
            text += " " + self.rng.choice(WORDINGS).format(name, self.words(says, names))
        text += " So who is a knight and who is a knave?"
        roles = ("knave", "knight")
        return text, "\n".join(f"({i + 1}) {name} is a {roles[knight]}"
                               for i, (name, knight) in enumerate(zip(names, found[0])))
