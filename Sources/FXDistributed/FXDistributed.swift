// FXDistributed
