package group

import (
	"kith/internal/dag"
	"kith/internal/mls"
)

// Limits of the specification: the same on every device.
const (
	// MaxContent bounds one content in bytes; longer text goes as an attachment.
	MaxContent = 64 << 10
	// MaxCiphertext bounds an entry's ciphertext in bytes: MaxContent, its salt,
	// PADME's 12 % at most, and the MLS framing around it.
	MaxCiphertext = MaxContent + MaxContent/8 + 1<<10
	// MaxVersions bounds the edits that a Delete names, 48 bytes each: more than anybody
	// makes of one message, and a fifth of a content.
	MaxVersions = 256
	// MaxOptions bounds the options of a poll: what fits on a screen.
	MaxOptions = 20
	// maxQuestion and maxOption bound a poll's texts in bytes, so that a poll with all
	// of its options can be read at a glance.
	maxQuestion = 1000
	maxOption   = 200
	// MaxAbout is how many annotations of one kind count that one person makes about one
	// message, the newest: more than anybody makes. What is shown of a message is put
	// together anew with each that comes.
	MaxAbout = 64
	// maxEmoji bounds a reaction in bytes. The longest emoji there is has 41: a family
	// of which each has a skin colour.
	maxEmoji = 64
	// MaxReactions bounds the different reactions that are shown of one message, those
	// that were there first: nobody looks at more, and one member could make any number.
	MaxReactions = 64
	// MaxLifetime bounds how long a message that disappears lasts, in seconds: a year.
	// What is to last longer may as well stay.
	MaxLifetime = 366 * 24 * 3600
	// maxTyping bounds the group in which is said who is writing, in people: above it
	// somebody always is.
	maxTyping = 32
	// maxMarked bounds the group in which is said what was read, in people.
	maxMarked = 64
	// MaxTitle bounds a title in runes, as it bounds a name.
	MaxTitle = 64
)

// Limits of rule V6, in bytes, on which every program must agree: what breaks them
// is no block. No program made a leaf of more than 2 KiB before there were these.
const (
	// maxLeaf bounds a leaf that a commit's path or a genesis brings; one of
	// X-Wing with all it announces has 1.6 KB.
	maxLeaf = 8 << 10
	// maxKeyPackage bounds a key package that is added, and so its leaf.
	maxKeyPackage = 8 << 10
	// A commit has at most commitRoom, commitLeaf for each leaf of the tree that
	// it starts from, and commitAdd for each Add: the author's leaf and the framing;
	// for each other leaf at most one key of the path (X-Wing: 1,218) and one path
	// secret (1,174), since each secret is for another subtree that is not empty;
	// and the Remove of the leaf.
	commitRoom = 16 << 10
	commitLeaf = 3 << 10
	commitAdd  = maxKeyPackage + 16
)

// Limits of this program.
const (
	// maxBatch is how many bytes of entries one answer carries, so that a
	// newcomer's first screen is not held up by one long answer.
	maxBatch = 256 << 10
	// maxAnswer is how many bytes of entries are read and queued for one request:
	// a fraction of what a session queues (package peer), so that several groups
	// catch up over one session at once.
	maxAnswer = 2 << 20
	// maxAnswerFrames is how many frames of one answer are waited for: twice what an
	// honest one has. Who promises more for ever would keep all others from being asked.
	maxAnswerFrames = 2 * maxAnswer / maxBatch
	// maxBatchEntries bounds the entries of one answer and of one frame.
	maxBatchEntries = 512
	// maxHeads bounds the heads that are named of what somebody has: every entry joins
	// up to 8, so that honest groups have few. Where there are more, those of highest
	// lamport are named, and the rest is found by a frontier.
	maxHeads = 64
	// maxWalk bounds the entries that are looked at to find what lies beyond heads: some
	// milliseconds. What is not found by that is asked for in stretches.
	maxWalk = 16_384
	// walkEvery is how often such a walk is done for one peer, in ms, and walkBurst how many
	// at once. One that is honest asks again when it has an answer, and then seldom.
	walkEvery = 200
	walkBurst = 20
	// answerEvery is how often one peer is answered who says what it has, or which Acks, in
	// ms, and answerBurst how many times at once: an honest one says so each haveEvery at the
	// most, and what it said while a line stood still comes at once.
	answerEvery = 100
	answerBurst = 50
	// falseEvery is how often, in ms, one peer may bring an Ack, a Reach, a Leave, a Nack or evidence with a false signature, and
	// falseBurst how many times at once; then what it brings of them is passed over. An honest one brings an
	// Ack that seems false where its copy of this device's log is another, one each ackEvery.
	falseEvery = ackEvery
	falseBurst = 32
	// entriesEvery is how often one peer's request for entries by a frontier, or of a
	// stretch, is answered, in ms, and entriesBurst how many at once; what is beyond is
	// asked for again. An honest one has two stretches under way, so that these are 100,000
	// entries a second.
	entriesEvery = 2
	entriesBurst = 1000
	// maxStretch bounds the entries of one stretch, and is what counts as much that is
	// lacking: four stretches wait for each other in the room of one device that wrote
	// all of it (dag.MaxParkedDevice).
	maxStretch = 256
	// maxStretches is how many stretches are under way at once, and maxOfOne how many
	// from one peer.
	maxStretches = 4
	maxOfOne     = 2
	// maxSeqAhead is how far an entry may be ahead of what is checked of its device's log
	// to be opened as others are: the keys of those between are all kept (mls.MaxSkipped).
	// Beyond, the ratchet leaps (leap.go).
	maxSeqAhead = mls.MaxForward - 100
	// maxAhead is how many entries wait at most for stretches before them.
	maxAhead = 3 * maxStretch
	// firstScreen is how many of the newest entries come first, where much is lacking.
	firstScreen = 50
	// batchFrom is how many entries of one frame are checked as a batch: below
	// it the batch costs as much as one by one.
	batchFrom = 4
	// maxBlocksBytes is how many bytes of blocks one answer carries, unless a
	// single block is longer.
	maxBlocksBytes = 1 << 20
	// maxBlock bounds header and body of one block in bytes (docs/spec/chain.md).
	maxBlock = 16<<20 + 64<<10
	// maxInvitationBlocks bounds the blocks of an invitation. Ten years of a
	// change every other day; what it allocates comes from bytes received.
	maxInvitationBlocks = 2_000
	// maxInvitation bounds an invitation of whole blocks, for a session takes 17 MiB
	// in one message; longer ones go in pages to who reads them.
	maxInvitation = 16 << 20
	// maxPage is how many bytes of a chain one page holds, unless one block is
	// longer: 5,000 light blocks of ordinary changes in one, and a tree of 10,000 in
	// seven.
	maxPage = 4 << 20
	// chainBurst is how many bytes of pages and blocks one device is given at once that asks
	// for them: the longest chain that there may be. Beyond, it is given chainPace bytes in a
	// ms, 4 MiB a second, and so its page long before it turns to another member (pageTimeout).
	chainBurst = maxGathered
	chainPace  = 4 << 10
	// chainCost is what an answer counts besides its bytes, in bytes, for what is looked at
	// to make it, and treeCost is one in how many of the tree that it has a piece of.
	chainCost = 64 << 10
	treeCost  = 8
	// maxPageBlocks bounds the blocks of a page: no header is below 250 bytes.
	maxPageBlocks = 1 << 14
	// maxTree bounds the tree that travels in pages: 10,000 leaves in X-Wing are 27 MB.
	maxTree = 32 << 20
	// maxGathered bounds what is taken of one chain before all of it is checked: 5,000
	// blocks of 10 people that nobody settled have 85 MB.
	maxGathered = 256 << 20
	// MaxComing bounds what is taken of all chains together of groups that are not
	// here yet: one as long as may be, and several ordinary ones beside it. Beyond, what
	// comes by those people goes by whom most does.
	MaxComing = maxGathered + 128<<20
	// blockCost is what a block counts there besides its bytes, for its state and its
	// place in memory: 1.4 KiB were measured where the block itself has 0.5. One that
	// changes a member has a list of everybody ever admitted besides
	// ([chain.Blocks.Weight]).
	blockCost = 2 << 10
	// maxOpenings bounds the members that are remembered who can go on with pages if
	// one does not.
	maxOpenings = 16
	// maxReopened is how often a member may begin anew in place of an answer: what is
	// settled there can have become another.
	maxReopened = 3
	// maxInlineTree is up to how many leaves a Welcome has the tree inside: whoever
	// has the blocks needs none, but versions before this rule join by no other.
	// 64 leaves are at most 18 KB in suite 1, the only one those versions use, and
	// less than the blocks that admitted them.
	maxInlineTree = 64
	// A Welcome has at most welcomeRoom and welcomeDevice for each device it lets
	// in: the floor of 10,000 devices, the GroupInfo with a tree of maxInlineTree
	// leaves, and a path secret for each newcomer, of which X-Wing's has 1,216 bytes.
	welcomeRoom   = 2 << 20
	welcomeDevice = 2 << 10
	// maxFarewell bounds the blocks that a former member is sent unasked.
	maxFarewell = 64
	// maxProofFrames bounds the frames of blocks that a peer is sent unasked.
	maxProofFrames = 8
	// maxStatements bounds the statements of each kind in one frame: two for
	// each of 16 devices of 1,000 members is more than a frame should hold.
	maxStatements = 4096
	// maxAckWaits bounds the Acks of one device that wait for what they name: the one that
	// came first, which newer ones do not take the place of, or none might ever count
	// while much is written; and the newest.
	maxAckWaits = 2
	// maxFewAckers is up to how many devices each says within 2 s what has come, to each
	// other: with 32 that are 5 KB, for one message.
	maxFewAckers = 32
	// fewestAckers is above how many devices an Ack goes at once to those alone who wrote what it says that
	// came, and maxPromptAckers up to how many: 256 Acks have 21 KB, for a message of 1 KB.
	fewestAckers    = 2
	maxPromptAckers = 256
	// maxPassOn bounds the devices that one frame has Acks passed on to.
	maxPassOn = 64
	// ackMeet is how many Acks are given to who has older ones of the same devices, at once: a tenth of what
	// a screen of messages takes.
	ackMeet = 8
	// ackBranches is how many devices follow one in the tree along which Acks go: three
	// ways up at 1,000.
	ackBranches = 8
	// ackTellAtOnce is how many are told the digest of the Acks at once.
	ackTellAtOnce = 32
	// maxStatementsBytes is from how many bytes on statements go in another frame, and
	// maxBundles bounds the Acks of a frame: 4,096, of which each says something else.
	maxStatementsBytes = 256 << 10
	maxBundles         = 16 << 20
	// ackTravels is what an Ack takes in a bundle (docs/spec/sync.md, "Acks of a large group").
	// markTravels is what the place up to which was read adds.
	ackTravels  = 80
	markTravels = 48
	// ackShare is one in how many bytes may be of an Ack, and ackIdle how many in an hour
	// where little is said: a fifth of what an idle node may use.
	ackShare = 10
	ackIdle  = 200_000
	// ackLateShare and ackLateIdle are the same of Acks that are passed on to those who do not wait for them.
	ackLateShare = 20
	ackLateIdle  = 5_000
	// maxAuthors bounds the authors of whose entries it is remembered who has them: the
	// devices of one person.
	maxAuthors = 16
	// maxAckList is up to how many devices an Ack lists all where heads do not say all: 5 KB.
	maxAckList = 128
	// maxInfo bounds the preimage of a name or title in bytes.
	maxInfo = 512
	// maxUndoneTitles bounds the titles that lost at a fork and are asked for.
	maxUndoneTitles = 64
	// maxHollow bounds the entries of which the header alone is here and the text is
	// asked for. What is beyond waits, and with it what was written after it, until some
	// of the texts are here.
	maxHollow = 1024
	// maxQuarantine bounds the late entries of removed authors that wait for
	// somebody to refer to them; whoever has most of them makes room for others.
	maxQuarantine = 256
	// maxVouched bounds the names of entries that are not here: each entry that
	// waits names at most its parents and the one before it.
	maxVouched = dag.MaxParked * (dag.MaxParents + 1)
	// maxVouchers bounds the blocks that are noted of one such name, none of them below
	// another: each is on a branch of its own.
	maxVouchers = 4
	// maxWanted bounds the blocks not here that are kept in mind, of one device that
	// signed something which names them. An honest one names another at most with
	// each change of its head.
	maxWanted = 16
	// maxHeld bounds the messages that wait for a removal to be carried over: that
	// takes seconds where anybody is online who can sign it.
	maxHeld = 64
	// maxCarries, maxCarryCuts and maxCarryProof (bytes of headers) bound what one
	// block carries over, so that its header has 64 KiB and its body 16 MiB at most.
	maxCarries    = 64
	maxCarryCuts  = 512
	maxCarryProof = 8 << 20
	// maxUnsent bounds the own entries that can be sealed again after a fork.
	maxUnsent = 64
	// maxEpochs is how many epochs below the head keep what a branch from there is
	// followed with, unless what is settled excludes one before; then a
	// reorganisation means to join anew.
	maxEpochs = 16
	// maxAllVote is up to how many people all who have accepted vote: beyond, one
	// who is away more than the others would hold up too often what all wait for.
	maxAllVote = 7
	// maxVotes bounds the votes of one frame: all rounds of an era that may be
	// held, with two votes of each of 31 voters.
	maxVotes = 4096
	// maxVoteEvidence bounds the vote evidence of one frame: many eras of liars.
	maxVoteEvidence = 256
	// toldAtOnce is how many peers are told of a change at once where entries go along a
	// tree: each member hears of it from as many on the average, so that hardly ever one
	// hears of it from nobody before the next are told.
	toldAtOnce = 16
	// checkAtOnce is how many are asked at once whether they have everything who should have it.
	checkAtOnce = 3
	// maxBlockNews bounds the blocks that a device is told of by one frame, and what is kept of
	// what each showed to have: of more it is told when it asks.
	maxBlockNews = 64
	// maxHandover bounds the entries that are asked for by one frame; with the longest
	// contents the answer is cut at maxAnswer, and the rest asked for again.
	maxHandover = 256
	// maxGiveKeys is how often a peer that asks for them is given the keys of one head in a session.
	maxGiveKeys = 3

	// maxSettings bounds the settings that are given at once, those in force and the next ones:
	// what is set again is set at the same block, or overrules what was before. maxSetting
	// bounds one in bytes, with its salt.
	maxSettings = 8
	maxSetting  = 256
	// maxEarlierLogs bounds the logs that one frame asks for the time before of: 28 KB.
	maxEarlierLogs = 512
	// maxParked bounds the devices that one block of this device's own parks: half of
	// the ops that a block may have.
	maxParked = 128
	// maxNacks bounds the Nacks that are kept of one device.
	maxNacks = 4
	// maxRestart bounds the devices that a Restart adds; the others are parked. As
	// post-quantum key packages they are 13 MB of the 16 that a body may have.
	maxRestart = 4096
	// maxPackages bounds the last-resort key packages of a person: 16 devices with
	// 4 suites each.
	maxPackages = 64
	// maxPublics is how many public groups stay in memory; older ones are
	// computed again from the blocks when a fork needs them.
	maxPublics = 64
	// maxTrees is how many there are in memory at most, with those of branches.
	maxTrees = 4 * maxPublics
	// maxNames is how many names of people who are not at the head are remembered
	// as they were read.
	maxNames = 64
	// treeEvery is one in how many blocks has its public group stored. That of
	// 1,000 members in X-Wing has 2.7 MB. A machine of 200 members is loaded in
	// 75 ms where treeEvery-1 commits follow the one stored.
	treeEvery = 32
)

// Bounds of parts of a frame, in bytes; what they hold has bounds of its own.
const (
	maxHave        = 1 << 20 // an offer, or the frontier of 10,000 devices
	maxEntryHeader = 2 << 10
	maxAck         = 1 << 20 // names every device of the group
	maxReach       = 2 << 10
	maxLeave       = 1 << 10
	maxNack        = 256
	maxEvidence    = 2*(64<<10) + 16 // two headers of blocks
	maxProof       = 512 << 10       // of a person: 1,024 headers, of which most name packages
	maxPackage     = 8 << 10         // a key package; a post-quantum one is 3 KB
	maxFeatures    = 64              // of them, in a leaf

	maxGroupInfo = 8 << 10 // without the tree; its longest part is a post-quantum external_pub of 1,216 bytes
)
