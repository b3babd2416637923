package store

import "time"

// Bounds of calls. Each keeps one call from holding a reader, or memory, for
// long; a caller that needs more asks again.
const (
	// MaxPage bounds the rows of one page. A screen shows about 50; 1000 rows
	// of the largest content (64 KiB) are 64 MiB.
	MaxPage = 1000
	// MaxUnread bounds what Unread counts to: above it people read "many".
	MaxUnread = 10_000
	// MaxMentionLook bounds the unread rows that are looked through for a mention, the newest first: that is
	// done each time a chat is shown, and reads their texts.
	MaxMentionLook = 2000
	// MaxSameID bounds the rows RowsByID returns. Only a forger makes two
	// messages with one content id.
	MaxSameID = 64
	// MaxBucketName bounds a bucket's name in bytes: names are constants of
	// the program, and each stored key repeats one.
	MaxBucketName = 64
	// MaxValue bounds a value, a content or a key in bytes. The largest value
	// a group machine writes is an MLS public group of 10,000 members, about
	// 20 MiB; SQLite's own bound is 1 GB.
	MaxValue = 64 << 20
)

// Settings of the engine.
const (
	// pageSize is also the block the cipher works on, so that a page is
	// encrypted as one.
	pageSize = 4096
	// maxReaders is how many reads run at once beside the one writer: a
	// phone or laptop has 2 to 8 cores, and each reader costs about 3 MiB.
	maxReaders = 4
	// cacheKiB is the page cache of one connection. 4 MiB hold the upper
	// levels of every index of a million messages.
	cacheKiB = 4096
	// logBytes is the size the write-ahead log is cut back to after a
	// checkpoint; a large first sync may make it grow for a while.
	logBytes = 16 << 20
	// busyTimeout is how long a statement waits for another connection of
	// this process. Only recovery after a crash makes one wait.
	busyTimeout = 10 * time.Second
)

// Settings of the index.
const (
	// rowsIndexed is how many rows wait to be indexed together. A transaction
	// costs the index about 0.6 ms, a row 0.02 ms.
	rowsIndexed = 256
	// docsOfSpan is how many documents a span has before the next begins. To
	// look through all the words of one takes about 15 ms.
	docsOfSpan = 32_000
	// bitsOfSlice is how long a slice is, of which no span has more than one: 2^31 ms,
	// 25 days. What is said in 20 years has 300 spans then, and each takes
	// a look of 0.05 ms.
	bitsOfSlice = 31
	// maxSlices is how many spans there may be until a slice begins none any more, but only a
	// full one does: 55 years. Who says something in each slice of the next 500 years would
	// have all signs, and each search look through them first.
	maxSlices = 800
	// mergeAfter is how long after a merge of the whole index the next may
	// follow, in ms: it costs seconds of a processor for each million rows.
	mergeAfter = 24 * 3600 * 1000
	// mergePages is how many pages one step of it writes, some ms of work.
	mergePages = 64
)

// Bounds of a search.
const (
	// MaxFound bounds the rows of one answer. A screen shows about 10.
	MaxFound = 200
	// searchTime is when a search stops and says how far it came. What people
	// look for is found in less; what may take longer are words that many rows have
	// and none has together.
	searchTime = 80 * time.Millisecond
	// fewRows is how many rows with all whole words of a query are looked through for
	// the word that is only begun, before the engine is asked to: for that
	// it gathers all that begins so.
	fewRows = 256
	// deletedInPlace is how many rows of a deleted group are taken out of the index
	// one by one, half a millisecond to a whole one each. With more the index is made anew.
	deletedInPlace = 1000
)

// roomBytes is how much a disk must take before it is full no more: the longest message, of
// 64 KiB, goes through the log, and pages around it change.
const roomBytes = 256 << 10

// Parameters of Argon2id for a new vault. 256 MiB and 3 passes cost a laptop
// one to two seconds, and a thief as much for each guess.
const (
	vaultMemoryKiB = 256 << 10
	vaultTime      = 3
	vaultThreads   = 4
)

// Bounds of what is accepted from a vault file, which a stranger may have
// written: one that asks for more would only stop the program.
const (
	maxVaultMemoryKiB = 4 << 20 // 4 GiB
	maxVaultTime      = 64
	maxVaultThreads   = 64
	maxVaultBytes     = 4096 // the file is about 300 bytes
)

// maxPassphrase bounds a passphrase in bytes, against a file given by mistake.
const maxPassphrase = 1 << 20
