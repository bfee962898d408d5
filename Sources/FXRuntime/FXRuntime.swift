// FXRuntime
