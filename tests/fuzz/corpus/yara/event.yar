rule e : event { meta: channel = "Security" event_id = 4624 condition: event_id == 4624 and channel == "x" }
rule f { meta: scope = "event" condition: filesize > 0 }