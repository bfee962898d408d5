
2no2no2perhaps2no2no2perhaps2no2perhaps2perhaps2perhaps