// FXTraceTests
