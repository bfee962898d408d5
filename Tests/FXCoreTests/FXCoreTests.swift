// FXCoreTests
