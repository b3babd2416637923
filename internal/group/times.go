package group

// Times, in ms.
const (
	// ackEvery is the least time between two Acks of one device of a small group.
	ackEvery = 2_000
	// ackPassAfter is how long an Ack that is new in a large group waits for others to be
	// passed on with, and ackCalm how long none has come when it is looked for others.
	ackPassAfter uint64 = 10_000
	ackCalm      uint64 = 120_000
	// ackQuickly is the same for what somebody waits for, and ackSlowly how often Acks are passed on at least,
	// where something is said, that nobody waits for.
	ackQuickly uint64 = 300
	ackSlowly  uint64 = 600_000
	// ackMore is how long after an answer that may have left out some Acks it is asked for these.
	ackMore = 60_000
	// ackLeast is the least time between two Acks of one device of a large group, and
	// ackLongest the longest that one waits: what 10,000 devices need for ackIdle.
	ackLeast   uint64 = 60_000
	ackLongest uint64 = 4 * hour
	hour       uint64 = 3_600_000
	// digestAfter is how long a change waits before it is announced to peers
	// that were not sent it: a burst becomes one announcement.
	digestAfter = 200
	// treeDigestAfter is the same for entries and statements where a tree brings
	// the entries: each change has every device tell every other.
	treeDigestAfter = 5_000
	// tellRest is when, in a large group, the next peers are told of a change that others
	// were told of at once. So digests take 105 bytes a second of a line at most, however
	// many members there are and however much they say.
	tellRest = 5_000
	// checkAfter is how long an entry waits until others are asked whether they have it who should: its
	// author lost the session with them in between, or says what is not so.
	checkAfter = 120_000
	// linksAfter is how long a change of sessions waits until others are told of it, and linksSlack how
	// old an entry is at most that who lost the session with its author is told of: a lost session is
	// noticed within 6 s.
	linksAfter = 1_000
	linksSlack = 30_000
	// treeWait is how long entries that a peer has are left to the tree, which brings
	// all but the last in that time, and treeFew is up to how many.
	treeWait = 3_000
	treeFew  = 64
	// tellBlockAfter is how long a block waits before others are told of it, and within
	// tellBlockSpread it differs from device to device: most show first to have it.
	tellBlockAfter  uint64 = 5
	tellBlockSpread uint64 = 20
	// givenFor is how long its author is taken to be giving a block to all. giverWait, and up to
	// giverSpread more, is how long it is left to an author who is connected: what 32 blocks of 30
	// KB take over a line of 10 Mbit/s. blocksTimeout is when somebody else is asked.
	givenFor      uint64 = 2_000
	giverWait     uint64 = 1_000
	giverSpread   uint64 = 500
	blocksTimeout uint64 = 3_000
	// newsWait is how long who names a block that is not here has to say who gives it.
	newsWait uint64 = 150
	// haveEvery is the least time between two Have frames to one peer.
	haveEvery = 200
	// inviteAfter is how long a member whom somebody else let in may take to say that it
	// has accepted, before it is sent its invitation again: a round trip, and some.
	inviteAfter = 800
	// inviteAgain is how long one who has named the group may take until its Ack is here,
	// and inviteTree in a large group, where Acks travel for minutes.
	inviteAgain = 10_000
	inviteTree  = 10 * 60_000
	// proofAfter is how long a member may be silent in a new session before it is
	// sent the chain.
	proofAfter = 5_000
	// unfoundAfter is the same for one that did not give a block of which it told: 4 MB may
	// be under way for so long, at a megabit a second.
	unfoundAfter = 30_000
	// nameLate is after how long a member that names the group only then is told again that
	// this device takes part.
	nameLate = 1_000
	// guestWait is how long a guest waits for more frames of blocks before it asks for
	// what they leave out.
	guestWait = 1_000
	// pageTimeout is when an unanswered request for a page goes to another member: a
	// page of 4 MiB over a slow line.
	pageTimeout = 60_000
	// fetchTimeout is when an unanswered request goes to another peer.
	fetchTimeout = 5_000
	// numbersAgain is for how long a peer is not told again, in answer to its own, what
	// Acks are held here.
	numbersAgain = 1_000
	// numbersAnswered is for how long Acks that come are the answer to that.
	numbersAnswered = 10_000
	// asideEvery is how often a stretch is asked for at most while this device's person
	// looks at another chat: 2,560 entries a second, where there is nothing else to do.
	asideEvery = 100
	// errandStep is how much later each next member by rank does what nobody has
	// done: the most senior online is first. Within errandChance the first
	// ones differ who do not see each other.
	errandStep   = 600
	errandChance = 200
	// revokeWait is what another member leaves to the devices of whose person one was revoked.
	revokeWait = 10_000
	// rejoinAfter is how long a device without keys at the head waits for a Welcome
	// that may be on its way, before it comes back by itself; rejoinJitter bounds
	// what is added for each device, so that not all do it at once.
	rejoinAfter  uint64 = 3_000
	rejoinJitter uint64 = 3_000
	// askAgainAfter is when a device outside asks those for keys again that gave none:
	// long against what an answer takes.
	askAgainAfter uint64 = 30_000
	// outvoteAfter is how long an admin's device waits before it signs the sibling
	// of a block that it and another could not follow; outvoteStep is how much
	// longer each next admin waits. outvoteAlone is how long one waits that nobody
	// agrees with and nobody gives keys to.
	outvoteAfter uint64 = 1_500
	outvoteStep  uint64 = 3_000
	outvoteAlone uint64 = 120_000
	// restartAfter and restartStep are the same for a Restart by anybody: first the
	// admins may outvote the block.
	restartAfter uint64 = 20_000
	restartStep  uint64 = 10_000
	// slashAfter and slashStep are the same for the revocation of a device that
	// signed twice, by admins; slashByAnybody is when others begin.
	slashAfter     uint64 = 2_000
	slashStep      uint64 = 3_000
	slashByAnybody uint64 = 60_000
	// nackAfter is how long a device asks everybody for keys before it says that
	// there are none.
	nackAfter uint64 = 60_000
	// redoAfter is how long a device waits, and how much longer at most, before it
	// does again what a fork undid: all of the other branch is here then, and of
	// two who have to do something again the second sees the first's block.
	redoAfter = 2_000
	// resendAfter is how long a device waits for Acks before it seals its entries
	// of a branch that lost again: who has them needs no copy.
	resendAfter = 10_000
	// keepEpoch is how long the secrets and message keys of an epoch are kept at
	// most after this device learned of its successor: so long somebody who was
	// away may come back with a branch from there, or with entries of it.
	keepEpoch = 30 * 24 * 3600 * 1000
	// keepDeep is the same for epochs more than maxEpochs below the head.
	keepDeep = 7 * 24 * 3600 * 1000
	// rekeySpread is within which time after it has accepted a device renews keys
	// that are of a last-resort package: less than a minute, with those who came in
	// by the same block spread over it.
	rekeySpread = 45_000
	// electAfter is how long the electorate waits for further changes before it is
	// changed, and electStep how much later each next admin does it.
	electAfter = 60_000
	electStep  = 30_000
	// electAgain is when a change of the electorate that was refused is tried again.
	electAgain = 3600 * 1000
	// restraintTime is how long voters are waited for who are here and lag behind.
	restraintTime = 600_000
	// unsettledAgain is when a commit of this device's own is tried again that was
	// held back for them.
	unsettledAgain = 60_000
	// askVotes is how often a voter asks for the votes that its own last one rests
	// on, if it lost them.
	askVotes = 600_000
	// silentVoter is how long a voter may owe a word before it is replaced, and
	// silenceStored from when on that is remembered across restarts.
	silentVoter   = 30 * 24 * 3600 * 1000
	silenceStored = 3600 * 1000
	// pruneAfter is how long after an entry came it is looked whether message keys
	// are done with.
	pruneAfter = 60_000
	// rekeyEach is how old a device's newest block becomes before it renews its keys.
	rekeyEach uint64 = 7 * 24 * 3600 * 1000
	// leaveWait is how long a Leave waits for the vote of who leaves, if nothing can be
	// settled without it.
	leaveWait uint64 = 24 * 3600 * 1000
	// maxLull is what one silence of everybody counts at most in company time: a
	// group in which something is said each week counts on.
	maxLull uint64 = 7 * 24 * 3600 * 1000
	// companyStored is how much company time a crash may lose, and companySlack how
	// much later a restart may take a device to have been heard: at most one record of
	// each device is written in so long.
	companyStored uint64 = 3600 * 1000
	companySlack  uint64 = 24 * 3600 * 1000
	// parkAfter is for how long, in company time, a device was not heard that is
	// parked. parkWait is how long its being heard is waited for yet: what others have
	// of it comes within seconds of a session.
	parkAfter uint64 = 90 * 24 * 3600 * 1000
	parkWait  uint64 = 600_000
	// handoverFor is how long a device that has come back may take, on and off, to be
	// given what was written while it was parked.
	handoverFor uint64 = 30 * 24 * 3600 * 1000
	// earlierAgain is after how long a member is asked again for what is lacking of the
	// time before, if it has got something since.
	earlierAgain uint64 = 600_000
	// typingEvery is how often it is said that one is writing, and typingLeast how often it
	// is heard: whoever says it more often makes no more of it.
	typingEvery = 3000
	typingLeast = 1000
	// removedServe is how long a removed device is still told that it is removed.
	removedServe = 30 * 24 * 3600 * 1000
	// packageLife is how long a key package of one's own may be used, in seconds.
	packageLife = 400 * 24 * 3600
	// packageSlack is how far the lifetime of a key package of one's own begins in
	// the past, in seconds: the clock of whoever gets it may be behind.
	packageSlack = 24 * 3600
	// maxPackageLife bounds the whole lifetime of a key package of others, in
	// seconds, as RFC 9420 section 7.2 demands: until then whoever gets hold of its
	// private part opens what was sealed to it.
	maxPackageLife = packageLife + packageSlack
)
