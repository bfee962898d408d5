// FXCore
