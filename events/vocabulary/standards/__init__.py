"""What standards print, as data: classes, limits, zones and custody models, each with its edition and tag."""
