package portmap

import "time"

// Of the formats (docs/spec/portmap.md).
const (
	pcpPort      = 5351 // of the gateway, NAT-PMP too (RFC 6887 section 19.1)
	announcePort = 5350 // where a gateway tells all that it started again
	ssdpPort     = 1900

	// maxPCP bounds a PCP message in bytes (RFC 6887 section 7).
	maxPCP = 1100
)

// Ours: another implementation may choose differently.
const (
	// fullLease is asked for. RFC 6886 section 3.3 recommends two hours; half of
	// that frees the port sooner where a machine vanished, at the same few bytes.
	fullLease = time.Hour

	// maxLease is how long a router's word is taken, whatever it grants: RFC 6887
	// section 15 recommends 24 hours.
	maxLease = 24 * time.Hour

	// leastPause stands between two rounds that nobody asked for, so that a router
	// that grants one second does not keep us busy.
	leastPause = time.Minute

	// firstRetry is the pause after a round that mapped nothing. It doubles up to
	// lastRetry: a router that has none of the ways mostly stays so, and a change
	// of network asks at once.
	firstRetry = time.Minute
	lastRetry  = 2 * time.Hour

	// firstWait is the time until a datagram is sent again; it doubles (RFC 6886
	// section 3.1). After askLimit nobody is there; so it is with an SSDP search.
	firstWait = 250 * time.Millisecond
	askLimit  = 3500 * time.Millisecond

	// head is how long a better way may still answer once a worse one has.
	head = time.Second

	// webLimit ends one call by HTTP.
	webLimit = 4 * time.Second

	// roundLimit ends a round, farewell the taking back of mappings in Close.
	roundLimit = 45 * time.Second
	farewell   = 3 * time.Second

	// maxBody bounds what is read of one answer by HTTP, in bytes; descriptions
	// of real routers have 3 to 12 KiB.
	maxBody = 128 << 10

	// maxWrong bounds datagrams that are no answer to what was asked.
	maxWrong = 64

	// maxDescriptions and maxServices bound what is tried of what a gateway offers.
	maxDescriptions = 4
	maxServices     = 8

	// portTries is how many external ports are asked for where others have them.
	portTries = 4

	// A gateway that says over and over that it started again is believed
	// restartBurst times, and then once each restartPause.
	restartBurst = 3
	restartPause = 5 * time.Minute
)

// pace is what a test makes shorter.
type pace struct{ lease, least, retry, ask time.Duration }

func normalPace() pace { return pace{fullLease, leastPause, firstRetry, askLimit} }
