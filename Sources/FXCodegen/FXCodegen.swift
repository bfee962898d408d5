// FXCodegen
