package api

import "time"

// Limits of requests. The owner's own page and programs are the only clients;
// these hold where one of them runs wild.
const (
	// maxRequest bounds a request, in bytes. The longest text is 64 KiB, which
	// JSON may write with six bytes for each.
	maxRequest = 1 << 20

	// maxHeader bounds the headers of a request; a browser's are below 4 KiB.
	maxHeader = 16 << 10

	// maxPage and defaultPage are the messages of one ListMessages; a screen
	// shows about 50.
	maxPage     = 500
	defaultPage = 50

	// maxReaction bounds a reaction that is sent, in characters: the longest emoji there
	// are, two people with colours of their own who kiss, have ten.
	maxReaction = 12

	// alikeDigits is how much of an id stands beside a name that looks like another's: as
	// much as the command line writes of ids.
	alikeDigits = 8

	// maxDays bounds the days that newcomers are given, for they stand in 16 bits.
	maxDays = 1<<16 - 1

	// maxFound and defaultFound are the messages of one Search.
	maxFound     = 200
	defaultFound = 20

	// headerPatience is how long a client may take to send its headers, and
	// bodyPatience its whole request.
	headerPatience = 10 * time.Second
	bodyPatience   = 30 * time.Second

	// idlePatience is how long a connection without a request is kept.
	idlePatience = 2 * time.Minute

	// writePatience is how long a client may leave what it is sent unread. A
	// page that the browser put to sleep comes back and resumes.
	writePatience = 30 * time.Second

	// lastPatience is the same once the node stops.
	lastPatience = 500 * time.Millisecond

	// stopPatience is how long calls that run may take to end when the node
	// stops; streams are ended at once.
	stopPatience = 5 * time.Second
)

// Limits of logins.
const (
	// codeLife is from web.md: long enough to switch windows, too short to be
	// found in a terminal's history.
	codeLife = time.Minute

	// maxCodes bounds the codes that wait to be used; the oldest gives way.
	maxCodes = 16

	// maxTokens bounds the sessions; the one unused for longest gives way. A
	// session is one page of one browser.
	maxTokens = 64

	// maxWrong codes in wrongSpan are told that they are wrong; further ones
	// are told to wait. A right code always passes: 128 bits are not guessed,
	// and another user of this machine must not be able to lock the owner out.
	maxWrong  = 10
	wrongSpan = time.Minute

	// maxTries bounds the passphrases tried in wrongSpan on the web side, right or wrong: each
	// takes 256 MiB and a second. The socket, whose user is known, has no such bound.
	maxTries = 10
)
