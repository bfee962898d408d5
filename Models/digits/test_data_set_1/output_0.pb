
BprobabilitiesJ(Âı?ÂE”6€æ-6yÚ1J!¿2pçb7Â•ø5Ò£2:$‚5Ñ67