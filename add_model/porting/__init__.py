"""The porter's workbench: fill a new model from the original's checkpoint, and find the first place where it differs.

Each wing is a floor of its own, and none looks up to one that stands below it in this list:

model        the model that is worked on: found by its name, read as text, or imported and built
rules        how weights become others: names (`pattern`), what is done to tensors (`operations`), and the file
checkpoints  the original's weights, a weight at a time; what their names say; how weights are written
recording    one forward pass, and what went in and out of every submodule
conversion   rules and a checkpoint made into a plan (`plan`), and the plan carried out (`writing`)
suggestion   rules found from names and shapes; `by_values` decides what they leave open, from a recording
comparison   two recordings, place by place; `diagnosis` says why they differ
steps        the fourteen steps of a port: what is known of each, and what the tool does for it

What several of them need stands beside them:

documents     JSON and TOML that somebody else may have written, read in bounded time and memory
tensor_file   safetensors, every word of the header checked, and mapped; tensor_memory says what of a tensor is in memory
destinations  where these commands write: where the user says, and nowhere else
evidence      a result with its figure and the files it rests on; stale as soon as one of them changes
rendering     fills the templates of what is written for a model after it has been made
"""
