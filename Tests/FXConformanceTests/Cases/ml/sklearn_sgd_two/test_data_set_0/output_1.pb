
JPtšØBtšØÂ.B.Âò›¨Aò›¨Áð¯eBð¯eÂ„}‹B„}‹ÂÇ„ÁÇ„A¾WÂ¾WBu&Áu&AÂO1ÂÂO1BuNÂuNB