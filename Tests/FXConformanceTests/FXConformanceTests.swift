// FXConformanceTests
