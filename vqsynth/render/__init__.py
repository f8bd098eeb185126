"""From what is asked for to sound: match, synthesise, trim, report, transfer."""
