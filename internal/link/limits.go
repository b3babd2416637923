package link

import "time"

// Of the format (docs/spec/link.md).
const (
	// MaxFrame bounds one frame in bytes: a content of 64 KiB with its header
	// and the sealing around it. A longer one from the peer ends the
	// connection before memory is taken for it.
	MaxFrame = 64<<10 + 1<<10

	// MaxHosts bounds the hosts of an Address: four interfaces, each with QUIC
	// and TCP.
	MaxHosts = 8

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

	// A cut cable shows 6 seconds after the last packet from the peer: on QUIC
	// by quicIdle, which begins anew once if a keepalive still goes out in
	// between, so 9 at the latest; on TCP by a keepalive and its missing
	// answer. Shorter would call a phone's radio pause a cut; longer keeps
	// people waiting for the other path.
	quicIdle      = 6 * time.Second
	quicKeepAlive = 2 * time.Second
	tcpKeepAlive  = 3 * time.Second
	tcpWriteLimit = 3 * time.Second

	// streamWindow bounds what a peer can make us buffer on one connection, in
	// bytes: 4 MiB carries 40 MB/s at 100 ms.
	streamWindow = 4 << 20

	// acceptQueue bounds the connections that wait for Accept, and again those
	// that have not opened their stream yet; the next one is closed.
	acceptQueue = 64

	// What all peers together can take: a desktop with 1,000 friends online
	// stays below; half a gibibyte is what a small machine can spare.
	maxConns  = 2048
	maxMemory = 512 << 20

	// maxHandshakes bounds connections that have not shown a key yet.
	maxHandshakes = 256

	// What one link key, and one connection of it, can take: a redial may
	// overlap with its dead predecessor, and both sides may dial at once.
	maxPeerConns  = 8
	maxConnMemory = 16 << 20

	// What one address (IPv4 /32, IPv6 /64) can take: a household or a small
	// office behind one address, coming back at once after an outage. Half of
	// acceptQueue, so that one address cannot fill it.
	maxHostConns = 32
	hostRate     = 4 // new connections per second, once maxHostConns came at once

	// portTries is how often "any port" is tried until one is free for TCP and
	// UDP alike.
	portTries = 16

	// watchEvery is how often the interfaces are looked at for changes. There
	// is no portable event; asking costs some 50 us.
	watchEvery = 3 * time.Second

	// lanQueue bounds sightings nobody has taken yet; they come again.
	lanQueue = 64

	// lanTTL is how long an announcement is believed, in seconds (RFC 6762
	// section 10 recommends 120 for addresses).
	lanTTL = 120

	// memQueue bounds the frames under way in one direction in memory.
	memQueue = 16
)
