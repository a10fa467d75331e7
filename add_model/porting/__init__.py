"""The porter's workbench: fill a new model from the original's checkpoint, and find the first place where it differs.

subject     the model that is worked on: found by name in a library, imported, built without allocating its weights
rules       how the weights of a checkpoint become those of the new model, as a TOML file that a person can review;
            made of pattern (names), operations (what is done to tensors), rule (values), expansion (what they come to)
suggestion  such rules, suggested: units (layers taken together), concepts (what names mean), layouts (what is
            transposed), fused (query, key and value in one), matching (the assignment), generalise and condense (few
            rules for many weights); by_values decides what they leave open, from a recording of the original
checkpoint  the original's weights, read one at a time from checkpoint_files of any of the usual kinds; archive looks
            through those that are packed, before anything is unpacked
plan        where every weight of the new model comes from, or what is open; configuration says what it is built from
conversion  the plan carried out, weight by weight: shards (the format), staged (all files or none), conversion_report

A forward pass is recorded in the original's own environment: of the tool, these need no more than `errors`:

recording         runs a forward pass and keeps what goes in and out of every submodule
recording_writer  streams it into one safetensors file
recording_file    what it is when it is read back; recording_description checks every word of it on the way

What somebody else may have made is read in bounded time and memory, and written about only where the user says:

documents     JSON and TOML
tensor_file   safetensors, mapped
destinations  where these commands write

Two recordings are compared:

running      what `record` runs: a model of a library, of an installed package, or what a script makes
differences  how far two tensors are apart, and what of it is rounding
alignment    which call of the new model does what a call of the original does
comparison   every place, and the one where the difference begins; comparison_report, comparison_page and
             comparison_evidence show and keep it
diagnosis    why it differs there, as far as a budget of work allows

What was found out is kept with the model, so that it can be asked for later, and checked again:

evidence      a result with its figure and the files it rests on; stale as soon as one of them changes
ported_model  what stands in the library of the model, found out by reading: nothing is run
documented    whether every public class and argument is described
docs_page     whether a model's page is finished
steps         the fourteen steps, and who can say that one is done
notes         what a person says about a step
facts         what a look at the model and its evidence gives
progress      where each of the fourteen steps stands, and what to type next
model_tests   runs a model's tests, in a process of their own
integration_test    writes a test with the original's numbers from a recording
tokenizer_equality  compares the ids of two tokenizers, text by text
model_card    whether a card says what a reader needs, and whether its code runs
publishing    what is published of a checkpoint, and its upload
notebook      writes a demonstration of a model, and runs it from top to bottom
rendering     fills the templates of what is written for a model after it has been made
"""
