// FXTrace
