"""What can be wrong with an object, and what stands in the way of its end; `validation` is the door to it."""
