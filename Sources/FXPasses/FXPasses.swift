// FXPasses
