"""The straight script: one head of a model directory as a picture, as a tutorial would write it."""

import sys

import matplotlib.pyplot as plt
import torch
from transformers import AutoModel, AutoTokenizer

directory, text, output = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(directory)
model = AutoModel.from_pretrained(directory, attn_implementation="eager")
inputs = tokenizer(text, return_tensors="pt")
with torch.no_grad():
    attentions = model(**inputs, output_attentions=True).attentions
tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
plt.imshow(attentions[5][0, 0], vmin=0, vmax=1)
plt.xticks(range(len(tokens)), tokens, rotation=90)
plt.yticks(range(len(tokens)), tokens)
plt.colorbar()
plt.savefig(output)
