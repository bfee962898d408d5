// FXOnnx
