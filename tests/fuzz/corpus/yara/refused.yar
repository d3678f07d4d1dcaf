import "magic"
include "/etc/passwd"
rule r { condition: $x }