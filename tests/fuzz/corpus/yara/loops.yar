private rule p { condition: uint16(0) == 0x5a4d }
global rule g { condition: filesize < 1MB }
rule l { strings: $a = "a" condition: p and for all i in (1..#a) : (@a[i] < filesize) }