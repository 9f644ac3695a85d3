"""What both sides say: nouns, states, the filter grammar, actions, operations, problem codes.

Everything outside `contract.models` is plain Python, so a console can read it before it has loaded
pydantic; models are named by reference (`ModelRef`) and loaded when a request or a form needs them.
"""
