package node

// Reason says in a stable word why a request was refused; package api makes the
// sentence for people. A group.Refusal has reasons of its own.
type Reason string

// Reasons of an Error.
const (
	ReasonNoIdentity    Reason = "no-identity"    // Setup comes first
	ReasonIdentity      Reason = "identity"       // there is one already
	ReasonUnknown       Reason = "unknown"        // Subject names nobody and nothing
	ReasonAmbiguous     Reason = "ambiguous"      // Subject names several
	ReasonNotFriend     Reason = "not-friend"     // only friends can be added
	ReasonNoPackage     Reason = "no-package"     // the friend's program must be on once more
	ReasonFriend        Reason = "friend-already" // is a friend already
	ReasonOwnLink       Reason = "own-link"       // a link of one's own
	ReasonLink          Reason = "link"           // a link that cannot be read
	ReasonLinkExpired   Reason = "link-expired"
	ReasonLinkUsed      Reason = "link-used" // nobody answers to it any more
	ReasonNotAsking     Reason = "not-asking"
	ReasonNotInvited    Reason = "not-invited"
	ReasonNoGroup       Reason = "no-group" // the chat is none that one is in
	ReasonStillIn       Reason = "still-in" // a chat one is in is left before it is deleted
	ReasonFull          Reason = "full"     // the disk
	ReasonNoRoom        Reason = "no-room"  // the disk, at the start: Subject is the home
	ReasonStopping      Reason = "stopping"
	ReasonBlocked       Reason = "blocked"
	ReasonNoMessage     Reason = "no-message" // Subject names none of the chat's
	ReasonDeleted       Reason = "deleted"    // the message
	ReasonOver          Reason = "over"       // the message has disappeared
	ReasonNoText        Reason = "no-text"    // only texts have versions
	ReasonNoPoll        Reason = "no-poll"
	ReasonClosed        Reason = "closed"         // the poll
	ReasonChoice        Reason = "choice"         // not what the poll offers
	ReasonNoCopy        Reason = "no-copy"        // this home has the only key of its person
	ReasonNotYours      Reason = "not-yours"      // only of an own message
	ReasonNoBundle      Reason = "no-bundle"      // the file is none
	ReasonNewerBundle   Reason = "newer-bundle"   // of a newer program
	ReasonOthersBundle  Reason = "others-bundle"  // for other devices
	ReasonCutBundle     Reason = "cut-bundle"     // cut, or changed
	ReasonStrangeBundle Reason = "strange-bundle" // of nobody who is known here
	ReasonBoxes         Reason = "boxes"          // more mailboxes than one person has: Subject is how many
	ReasonNoBox         Reason = "no-box"         // no mailbox goes by Subject
	ReasonThisDevice    Reason = "this-device"    // only another one is revoked
	ReasonNoDevice      Reason = "no-device"      // the person has none with that id
	ReasonRevokedThat   Reason = "revoked-that"   // Subject is revoked already
	ReasonDevices       Reason = "devices"        // more than a person has at once
	ReasonDeviceName    Reason = "device-name"    // empty, too long, or with what cannot be seen
	ReasonNoJoiner      Reason = "no-joiner"      // no new device waits to be confirmed
	ReasonDigits        Reason = "digits"         // not those that the new device shows
	ReasonJoining       Reason = "joining"        // this home is about to become a device already
	ReasonNotConfirmed  Reason = "not-confirmed"  // the person did not confirm the new device
	ReasonLinkBroken    Reason = "link-broken"    // the other device went away, or said what does not fit
	ReasonOffline       Reason = "offline"        // there is no link yet at which others could come
	ReasonPassphrase    Reason = "passphrase"     // the home opens by its passphrase alone: Subject is the home
	ReasonRevoked       Reason = "revoked"        // another copy of this home has revoked its key
)

// An Error is a refused request.
type Error struct {
	Reason  Reason
	Subject string // what the request named, for the sentence; may be empty
	Err     error
}

func (e *Error) Error() string {
	s := "node: " + string(e.Reason)
	if e.Subject != "" {
		s += " " + e.Subject
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

func fail(r Reason, subject string) error { return &Error{Reason: r, Subject: subject} }
