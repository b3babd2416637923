package link

import "time"

// Of the format (docs/spec/link.md).
const (
	// MaxFrame bounds one frame in bytes: a content of 64 KiB with its header
	// and the sealing around it. A longer one from the peer ends the
	// connection before memory is taken for it.
	MaxFrame = 64<<10 + 1<<10

	// MaxHosts bounds the hosts of an Address: four interfaces, each with QUIC
	// and TCP; relays and WebSocket take the places of the last.
	MaxHosts = 8

	// MaxReservations bounds the relays where a Link can be called, and their hosts in
	// its Address: one may be off.
	MaxReservations = 2

	// Forgotten is after how long a peer at rest has ended a connection that says
	// nothing, whatever program it is of: half of restIdle, and restIdle.
	Forgotten = 90 * time.Second

	// protocolID is what the one stream of a connection negotiates.
	protocolID = "/kith/1"

	// bindingLabel is the exporter label of Conn.Binding.
	bindingLabel = "EXPORTER-kith-knock"
)

// Ours: another implementation may choose differently.
const (
	// firstStream is how long an accepted connection may stay without a
	// stream: enough for three round trips over a bad line.
	firstStream = 10 * time.Second

	// dialLimit ends a Dial that nobody answers.
	dialLimit = 10 * time.Second

	// dialStagger is the head start of one host over the next (RFC 8305
	// section 5 recommends 250 ms).
	dialStagger = 250 * time.Millisecond

	// farewell is how long Close waits for the peer to take the last frames.
	farewell = time.Second

	// At rest a connection says each restPulse that it is there: before the NAT of a
	// home forgets it, which some do after 30 s (RFC 4787 section 4.3 wants 2 minutes).
	// On QUIC the dialler does, by a datagram; a peer that takes none is told by
	// QUIC's own sign of life after half of restIdle. Who listens sees a dead peer
	// after restIdle, who dialled after restPulse and alertMissed looks. On TCP both
	// ask, and wait tcpWriteLimit for the answer.
	restPulse     = 25 * time.Second
	restIdle      = 60 * time.Second
	tcpWriteLimit = 3 * time.Second

	// tcpMeasure is how often yamux measures the round trip, to size its windows.
	tcpMeasure = 10 * time.Minute

	// Alert, or after a Write, a cut cable shows 6 to 9 seconds after the last
	// packet from the peer: alertMissed signs of life, alertPulse apart, are not
	// answered. Shorter would call a phone's radio pause a cut; longer keeps people
	// waiting for the other path. They are counted, not timed, so that a machine
	// that slept does not call all others dead.
	alertPulse  = 2 * time.Second
	alertMissed = 3

	// streamWindow bounds what a peer can make us buffer on one connection, in
	// bytes: 4 MiB carries 40 MB/s at 100 ms.
	streamWindow = 4 << 20

	// maxAlso bounds the places of routers in an Address: two protocols of two families.
	maxAlso = 4

	// acceptQueue bounds the connections that wait for Accept, and again those
	// that have not opened their stream yet; the next one is closed.
	acceptQueue = 64

	// What all peers together can take: a desktop with 1,000 friends online
	// stays below; half a gibibyte is what a small machine can spare.
	maxConns  = 2048
	maxMemory = 512 << 20

	// What they can take of a Link that many use (DirectConfig.Many): a thousand
	// people with ten chats each, whose devices show themselves apart for each; a
	// connection at rest takes some 36 kB.
	manyConns  = 20_480
	manyMemory = 1 << 30

	// maxHandshakes bounds connections that have not shown a key yet.
	maxHandshakes = 256

	// unprovedRate bounds the handshakes that begin in a second before the
	// dialler has shown that it can be reached at its address.
	unprovedRate = 1000

	// What one link key, and one connection of it, can take: a redial may
	// overlap with its dead predecessor, and both sides may dial at once. A relay and
	// who is called there have a connection for each circuit besides.
	maxPeerConns  = 8
	maxPeerRaw    = maxPeerConns + RelayPerDevice
	maxConnMemory = 16 << 20

	// What one address (IPv4 /32, IPv6 /64) can take: a household or a small
	// office behind one address, coming back at once after an outage. Half of
	// acceptQueue, so that one address cannot fill it.
	maxHostConns = 32
	hostRate     = 4 // new connections per second, once maxHostConns came at once

	// The same of a Link that many use: a provider puts many homes behind one address.
	manyHostConns = 1024
	manyHostRate  = 32

	// portTries is how often "any port" is tried until one is free for TCP and
	// UDP alike.
	portTries = 16

	// watchEvery is how often the interfaces are looked at for changes where the
	// system does not tell of them; asking costs some 50 us. Where it does,
	// watchRarely is enough, and the interfaces are looked at once they have been
	// quiet for networkSettles: a change comes in several steps.
	watchEvery     = 3 * time.Second
	watchRarely    = 5 * time.Minute
	networkSettles = 200 * time.Millisecond

	// New to a network, a device asks for lanBurst who else is there: that is
	// four questions, since each may get lost. All answer, so whoever was there
	// before need not ask again; what it misses, it hears by one question each
	// lanAgain. Every answer goes to all: eleven devices that ask once a minute
	// make 10 MB an hour.
	lanBurst = 30 * time.Second
	lanAgain = 20 * time.Minute
	lanBrief = 3 * time.Second

	// lanQueue bounds sightings nobody has taken yet; they come again.
	lanQueue = 64

	// lanTTL is how long an announcement is believed, in seconds (RFC 6762
	// section 10 recommends 120 for addresses).
	lanTTL = 120

	// memQueue bounds the frames under way in one direction in memory.
	memQueue = 16
)

// Of relaying: what a small machine at home, or a rented one, does for friends
// without noticing; RelayPolicy has other numbers.
const (
	RelayReservations = 256
	RelayCircuits     = 64
	RelayPerDevice    = 16
	RelayPerCaller    = 16
	RelayRate         = 8 << 20  // bytes per second
	RelayCircuitRate  = 1 << 20  // bytes per second: a picture of 4 MB takes 4 s
	RelayCircuitBytes = 4 << 30  // bytes: a film
	RelayDayBytes     = 64 << 30 // bytes: 2 TB in a month, what a rented machine may send

	// relayJoin is how long a caller waits at the relay for the device it calls: less
	// than dialLimit, so that the caller hears of it.
	relayJoin = 7 * time.Second

	// relayHeadStart is the head start of the direct hosts of an address over its
	// relays: they answer within that unless a router is between.
	relayHeadStart = time.Second

	// relayIdle ends a circuit that carries nothing: the yamux inside says each
	// restPulse that it is there.
	relayIdle = 2 * time.Minute

	// relayWrite is how long one frame of the protocol may take to be sent.
	relayWrite = 5 * time.Second

	// relayChunk is how many bytes a circuit copies at once.
	relayChunk = 32 << 10

	// relayOffers bounds the offers that a device has not read, and the circuits that
	// it takes from one relay at once.
	relayOffers = 8

	// After a failure a relay is tried again, later each time; a reservation that held
	// for relayLast begins anew.
	relayRetry     = 5 * time.Second
	relayRetryMost = 10 * time.Minute
	relayLast      = time.Minute

	// maxRelays bounds the relays of UseRelays.
	maxRelays = 8

	// circuitWrite is tcpWriteLimit in a circuit, where a relay that has much to do
	// holds bytes back.
	circuitWrite = 15 * time.Second

	// circuitWindow bounds the unread bytes in a circuit: what a relay at 64 KB/s carries
	// before a peer that waits for a sign of life takes the other for dead.
	circuitWindow = 256 << 10
)

// Of punching and of port 443.
const (
	// punchLimit ends Punch and Expect: go-libp2p's own is the same.
	punchLimit = 5 * time.Second

	// Expect sends a packet of punchSize bytes to each host, punchFirst apart and then
	// longer, up to punchLast: some 30 to each.
	punchFirst = 10 * time.Millisecond
	punchLast  = 200 * time.Millisecond
	punchSize  = 64

	// wsHeader bounds the header of an HTTP request in bytes, and wsShake how
	// long TLS and HTTP may take.
	wsHeader = 8 << 10
	wsShake  = 10 * time.Second
)
