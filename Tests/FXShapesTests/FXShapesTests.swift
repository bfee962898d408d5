// FXShapesTests
