// FXShapes
