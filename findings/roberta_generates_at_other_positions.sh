#!/usr/bin/env bash
# transformers 5.23.0 and 5.24.0, RobertaForCausalLM: generate hands the decoder positions 0, 1, 2, ..., and forward, which is what
# the model was trained with, counts from the padding id on: 2, 3, 4, ... with the published configuration. So greedy search
# gives another text than taking the most probable token of forward step by step; the second token of a prompt stands at the
# padding's position, whose vector is zero in trained models. Seen on 2026-11-30.
# Who holds a port of such a decoder against generate has to compare forward passes instead.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 2> /dev/null
cat > positions.py <<'PYTHON'
import torch
import transformers
from transformers import RobertaConfig, RobertaForCausalLM

sizes = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
config = RobertaConfig(**sizes, max_position_embeddings=40, is_decoder=True, pad_token_id=1, bos_token_id=0, eos_token_id=2)
model = RobertaForCausalLM(config).eval()
torch.manual_seed(0)
with torch.no_grad():
    for parameter in model.parameters():
        parameter.normal_(std=0.6)
prompt = torch.randint(3, 30, (1, 4))
looked_up = []
embedding = model.roberta.embeddings.position_embeddings
embedding.register_forward_pre_hook(lambda module, arguments: looked_up.append(arguments[0][0].tolist()))
settings = {"do_sample": False, "max_new_tokens": 6, "eos_token_id": None, "pad_token_id": 1}
with torch.no_grad():
    generated = model.generate(prompt, attention_mask=torch.ones_like(prompt), **settings)
    in_generate = looked_up[0]
    looked_up.clear()
    stepwise = prompt
    for _ in range(6):
        stepwise = torch.cat((stepwise, model(stepwise).logits[:, -1].argmax(-1, keepdim=True)), dim=1)
print(transformers.__version__, "positions of the prompt: generate", in_generate, "forward", looked_up[0])
print("  generate", generated[0].tolist(), "step by step", stepwise[0].tolist())
assert in_generate == [0, 1, 2, 3] and looked_up[0] == [2, 3, 4, 5]
assert not torch.equal(generated, stepwise)
PYTHON
for version in 5.23.0 5.24.0; do
    environment/bin/pip install --quiet --disable-pip-version-check "transformers==$version" 2> /dev/null
    HF_HUB_OFFLINE=1 environment/bin/python positions.py 2> /dev/null
done
