"""Asks qed about text: the program text_peer as an object."""

import json
import subprocess

import peer


class QedText:
    def __init__(self):
        program = peer.BINARY / "tests" / "bin" / "text_peer"
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, encoding="utf-8")

    def ask(self, **question):
        """The answer to one question; see text_peer.cpp."""
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"text_peer ended at {question}"
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        assert self.process.wait() == 0, "text_peer failed"
