"""The interview: questions as plain values, their course and the way back, and the terminal that puts them."""
