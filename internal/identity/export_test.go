package identity

// ParseKnock is parseKnock, for the fuzz target.
var ParseKnock = parseKnock
