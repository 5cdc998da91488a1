"""What every method stands on: the door to the model, its inputs, its layers, its errors."""
