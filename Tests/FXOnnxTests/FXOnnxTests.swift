// FXOnnxTests
