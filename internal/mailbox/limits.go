package mailbox

import "time"

// Limits of the specification.
const (
	// MaxItems bounds the items of one frame, and MaxBody their sizes together, in
	// bytes: one item of the largest size, or 16 of the smallest, fit into a frame
	// of a link with what stands around them.
	MaxItems = 16
	MaxBody  = 64 << 10

	// MaxHours bounds the life of a drop in hours: a year and a day, so that a
	// mailbox may keep items longer than is usual.
	MaxHours = 366 * 24

	// MaxWait bounds one wait. An hour costs two frames; what is lost with the
	// connection in between is noticed by the link.
	MaxWait = time.Hour

	// Turns is how often a day a drop is written to, and how often read. 24 means that
	// what a pair says arrives within some hours, and that reading the whole drop each
	// time, on its day and on the next, costs a member of a pair 1.8 MB a day.
	Turns = 24
)

// Ours: another implementation may choose differently.
const (
	// DefaultKeep is how many days a mailbox keeps items at most: who was away for
	// a holiday still finds them.
	DefaultKeep = 30

	// DefaultBytes bounds all items: 10 GiB are 2,600,000 of the smallest size.
	DefaultBytes = 10 << 30

	// dropItems and dropBytes bound one drop. A planned day has 24 items; a drop used
	// at once by a lively group has some hundreds.
	dropItems = 4096
	dropBytes = 32 << 20

	// maxDrops bounds the drops, which cost about 300 bytes each on the disk.
	maxDrops = 4_000_000

	// helloWait is how long a connection may stay without its first frame, as long
	// as a link waits for a stream.
	helloWait = 10 * time.Second

	// idleWait ends a connection on which nobody asks and nobody waits.
	idleWait = 2 * time.Minute

	// writeWait bounds the writing of one answer to a client that does not read.
	writeWait = 30 * time.Second

	// maxWaits bounds the waits open on one connection; a device in more chats opens
	// another.
	maxWaits = 256

	// makesPerConn bounds the drops made on one connection.
	makesPerConn = 256

	// What one source (IPv4 /32, IPv6 /64) may do. A household of five in 40 chats
	// each makes 200 drops a day, and 5,000 puts if each has its turns; after a week
	// without network all of it comes at once. Failures are wrong capabilities and
	// drops that are not there: a member asks for today's drop of each chat before
	// anybody has made it.
	makesPerHour      = 2000
	itemsPerMinute    = 1200
	failuresPerMinute = 600

	// maxSources bounds the sources that are remembered, about 120 bytes each. All
	// beyond share what one may do.
	maxSources = 65536

	// sourceLife is after how long without a word a source is forgotten; all its
	// allowances are whole again by then.
	sourceLife = time.Hour

	// sweepEvery is how often expired drops are deleted. They are not given out any
	// more from the hour on at which they expire.
	sweepEvery = 10 * time.Minute

	// sweepItems bounds the items deleted in one transaction, so that puts do not
	// wait long for it.
	sweepItems = 256

	// batchJobs bounds the writes that share one transaction and one fsync; 256 of
	// the largest are 16 MiB.
	batchJobs = 256

	// readers is how many connections to the database read at once.
	readers = 2

	// logPages is after how many pages of 4 KiB the log is copied into the database.
	logPages = 4096

	// cacheKiB bounds the page cache of each connection to the database.
	cacheKiB = 8 << 10

	// rememberItems is how many items a Cursor remembers, to tell repeats: a month of
	// one drop a day with 24 items, and half as many again.
	rememberItems = 1024
)
