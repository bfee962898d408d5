// FXTestSupport
