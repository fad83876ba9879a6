"""Reads CHATGPT.json OPENAI.jsonl WHATSAPP.txt TABLE.csv with Python's own modules, and writes prompts and replies as JSONL to OUT. Prints its
peak memory in bytes, and the time of processors that it has taken, in seconds."""

import csv
import json
import re
import resource
import sys

chatgpt, openai, whatsapp, table, out = sys.argv[1:]
with open(out, "w", encoding="utf-8") as written:

    def write(prompt, reply):
        messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]
        written.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")

    with open(chatgpt, encoding="utf-8") as file:
        for conversation in json.load(file):
            texts = []
            node = conversation["mapping"].get(conversation["current_node"])
            while node and node["message"]:
                texts.append("".join(node["message"]["content"]["parts"]))
                node = conversation["mapping"].get(node["parent"])
            write(texts[1], texts[0])
    with open(openai, encoding="utf-8") as file:
        for line in file:
            prompt, reply = json.loads(line)["messages"]
            write(prompt["content"], reply["content"])
    with open(whatsapp, encoding="utf-8") as file:
        pattern = re.compile(r"\d\d/\d\d/\d{4}, \d\d:\d\d - ([^:]+): (.*)")
        messages = [pattern.match(line).group(2) for line in file]
        for prompt, reply in zip(messages[::2], messages[1::2]):
            write(prompt, reply)
    with open(table, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            write(row["prompt"], row["reply"])
used = resource.getrusage(resource.RUSAGE_SELF)
# Linux counts memory in kilobytes.
print(used.ru_maxrss * 1024, used.ru_utime + used.ru_stime)
