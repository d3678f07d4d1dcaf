// c
/* import "magic" */ rule c { strings: $a = "import \"cuckoo\"" $b = /"import"/ condition: all of them }