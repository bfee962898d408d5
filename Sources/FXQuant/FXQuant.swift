// FXQuant
