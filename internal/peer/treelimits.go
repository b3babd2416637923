package peer

// Of the format (docs/spec/broadcast.md): both sides must agree on these.
const (
	// maxShuffle bounds the devices in a shuffle.
	maxShuffle = 8
	// maxIDs bounds the ids in one frame: more wait for the next.
	maxIDs = 64
)

// Of the view; ours: another implementation may choose differently.
const (
	// ownNeighbours is how many neighbours a device chooses itself. A random graph in
	// which everybody draws three is connected, also after a third of it has failed, and
	// in it each has six. They are never given up for who asks, so that who
	// asks for all places still leaves these.
	ownNeighbours = 3
	// maxTheirs bounds the neighbours that chose this device: of 10,000 that draw three
	// each, one in 30 meets more than six who want it, and those ask another.
	maxTheirs = 6
	// maxPending bounds the devices that are asked or dialled at once.
	maxPending = 3
	// askWait is how long an answer to an ask is awaited, in ms: two round trips of the
	// slowest satellite line.
	askWait = 3_000
	// dialWait is how long a wanted session is awaited, in ms: two dials of package node.
	dialWait = 8_000
	// refillFirst and refillMost are how long the search for neighbours rests when
	// nobody was found, in ms: twice as long each time.
	refillFirst = 1_000
	refillMost  = 60_000
	// draws is how many members are drawn at random until one will do.
	draws = 16
	// shunAfterNo and shunAfterLie are for how long a device is not asked, in ms: one
	// that is full or cannot be reached, and one that broke its promises. It
	// may still be a neighbour's, and it has a network of its own to mend.
	shunAfterNo  = 30_000
	shunAfterLie = 600_000
	// maxShunned bounds those that are remembered so, 60 bytes each.
	maxShunned = 256
	// evictEvery is the least time between two neighbours that make room for an urgent
	// one, in ms: the urgent are those with no neighbour at all.
	evictEvery = 1_000
	// shuffleEvery is how often one neighbour is told who is online, in ms, and
	// shuffleLeast how often one that tells is listened to.
	shuffleEvery = 30_000
	shuffleLeast = 5_000
	// shuffleMost is how much longer it takes, in ms, where answers name nobody who is not known: a session is
	// up with all of those who are there.
	shuffleMost = 600_000
	// maxLearnt bounds the devices that others say to be online, and maxTaken those of
	// one shuffle that are believed: no neighbour alone says who all are.
	maxLearnt = 16
	maxTaken  = 4
)

// Of the payloads; ours too.
const (
	// maxSeen bounds the payloads remembered, 150 bytes each: of 100 a second those of
	// 40 s, many times what an announcement takes.
	maxSeen = 4096
	// maxWants bounds the payloads known to be lacking, and maxPromises those of them
	// that one neighbour announced first. What is beyond the ordinary sync brings.
	maxWants    = 1024
	maxPromises = 256
	// maxFrom bounds the neighbours remembered for one of them.
	maxFrom = 9
	// bringUp is how many of the newest payloads are announced to a new neighbour: those of
	// the seconds in which one is looked for.
	bringUp = 16
	// maxNews bounds what waits to be announced to one neighbour.
	maxNews = 1024
	// lazyEvery is how long announcements are gathered, in ms: ten frames a second at
	// most to each neighbour.
	lazyEvery = 50
	// graftLeast and graftMost bound how long a payload that was announced is awaited
	// before somebody is asked for it, in ms. The tree's way is longer than
	// the shortest one; by how much a device learns from what comes.
	graftLeast = 350
	graftMost  = 1_000
	// answerWait is how long an answer is awaited, in ms: a round trip around the globe,
	// and 64 KiB at 1 Mbit/s.
	answerWait = 700
	// maxRounds is how often each who announced a payload is asked for it: an answer may
	// get lost.
	maxRounds = 2
	// graftFrom is how many payloads in a row must have been asked for until an edge is
	// made eager again: one may have been lost on a good edge.
	graftFrom = 2
	// maxBroken is how many promises in a row a neighbour may break. Where one message
	// in ten is lost, an honest one breaks five in a row once in a thousand times.
	maxBroken = 5
	// pruneLeast and partLeast are the least time between two prunes, or two leaves, to
	// one device, in ms: what is under way when it hears the first needs no answer.
	pruneLeast = 200
	partLeast  = 5_000
)

// What one device may send; ours too.
const (
	// Frames that bring no new payload, per second and at once: ten announcements a
	// second are honest, and a second copy of each of 100 payloads that were under way
	// when a prune was.
	wordRate  = 50
	wordBurst = 300
	// Bytes of payloads that it asks for, per second and at once: the repair of a
	// minute's pictures, and a fifth of a line of 10 Mbit/s.
	repairRate  = 256 << 10
	repairBurst = 2 << 20
)
