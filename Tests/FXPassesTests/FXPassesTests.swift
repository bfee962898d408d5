// FXPassesTests
