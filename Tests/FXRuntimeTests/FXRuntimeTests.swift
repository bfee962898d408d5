// FXRuntimeTests
