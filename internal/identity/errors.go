package identity

import (
	"errors"
	"strconv"
)

// Facts a caller branches on.
var (
	// ErrDevice refuses bytes that are no device.
	ErrDevice = errors.New("identity: not a stored device")
	// ErrKnock refuses a knock that is not for this device, or is malformed.
	// The two are not told apart: a stranger gets the same silence.
	ErrKnock = errors.New("identity: knock does not open")
	// ErrKnockKey refuses bytes that are no public knock key.
	ErrKnockKey = errors.New("identity: not a knock key")
	// ErrRequest refuses a request that was not made with this link.
	ErrRequest = errors.New("identity: request does not open")
	// ErrInfo refuses bytes that are no info.
	ErrInfo = errors.New("identity: not an info")
)

// A Reason says which rule a text breaks. Values are stable.
type Reason string

const (
	ReasonNameEmpty   Reason = "name-empty"
	ReasonNameLong    Reason = "name-long"
	ReasonNameText    Reason = "name-text"    // not UTF-8
	ReasonNameControl Reason = "name-control" // a character that cannot be seen or reorders others
	ReasonNameSpace   Reason = "name-space"   // begins or ends with white space

	ReasonPhraseCount Reason = "phrase-count"
	ReasonPhraseWord  Reason = "phrase-word"
	ReasonPhraseSum   Reason = "phrase-sum"

	ReasonLinkText    Reason = "link-text" // does not begin with kith:
	ReasonLinkLong    Reason = "link-long"
	ReasonLinkShort   Reason = "link-short"
	ReasonLinkTypo    Reason = "link-typo"
	ReasonLinkVersion Reason = "link-version"
	ReasonLinkExpired Reason = "link-expired"
	ReasonLinkForm    Reason = "link-form" // made wrongly, though nothing is mistyped
	ReasonLinkHost    Reason = "link-host" // an address that links do not carry

	ReasonDeviceText    Reason = "device-text" // does not begin with kithdevice:
	ReasonDeviceTypo    Reason = "device-typo"
	ReasonDeviceVersion Reason = "device-version"
	ReasonDeviceExpired Reason = "device-expired"
	ReasonDeviceForm    Reason = "device-form" // made wrongly, though nothing is mistyped
	ReasonDeviceHost    Reason = "device-host" // no host, too many, or one that links do not carry

	ReasonBoxText    Reason = "box-text" // does not begin with kithbox:
	ReasonBoxTypo    Reason = "box-typo"
	ReasonBoxVersion Reason = "box-version"
	ReasonBoxForm    Reason = "box-form" // made wrongly, though nothing is mistyped
	ReasonBoxHost    Reason = "box-host" // no host, too many, or one that addresses do not carry
)

// sentences say what is wrong, why it matters where that is not plain, and what
// to do.
var sentences = map[Reason]string{
	ReasonNameEmpty:   "the name is empty; give one with at least one visible character",
	ReasonNameLong:    "the name has more than 64 characters and would not fit on a line; shorten it",
	ReasonNameText:    "the name is not valid UTF-8 text and could not be shown; type it again",
	ReasonNameControl: "the name holds a character that is invisible or changes the direction of text, by which names can be faked; remove it",
	ReasonNameSpace:   "the name begins or ends with a space, by which names can be faked; remove it",

	ReasonPhraseCount: "a phrase has 24 words and this one has not; write all words, with spaces between them",
	ReasonPhraseWord:  "one word is not in the list of words; compare it with your note",
	ReasonPhraseSum:   "all words are in the list but do not belong together; one is another word than in your note, or two changed places",

	ReasonLinkText:    "this is not a contact link; it must begin with kith:",
	ReasonLinkLong:    "the link is longer than any contact link; copy the link alone, without text around it",
	ReasonLinkShort:   "the link was cut short; copy it again, whole",
	ReasonLinkTypo:    "the link does not match its checksum, so some character is wrong; copy it again instead of typing it",
	ReasonLinkVersion: "the link was made by a newer version; update this program",
	ReasonLinkExpired: "the link has expired; ask your contact for a new one",
	ReasonLinkForm:    "the link breaks the format; ask your contact for a new one",
	ReasonLinkHost:    "the address is of a kind that links do not carry; give ip4 or ip6 with tcp or udp quic-v1",

	ReasonDeviceText:    "this is not a device link; it must begin with kithdevice:",
	ReasonDeviceTypo:    "the device link is cut short or mistyped; copy it again, whole",
	ReasonDeviceVersion: "the device link was made by a newer version; update this program",
	ReasonDeviceExpired: "the device link has expired; make a new one on your other device",
	ReasonDeviceForm:    "the device link breaks the format; make a new one on your other device",
	ReasonDeviceHost:    "a device link holds 1 to 4 hosts: ip4 or ip6 with tcp or udp quic-v1",

	ReasonBoxText:    "this is not the address of a mailbox; it must begin with kithbox:",
	ReasonBoxTypo:    "the address of the mailbox is cut short or mistyped; copy it again, whole",
	ReasonBoxVersion: "the address of the mailbox was made by a newer version; update this program",
	ReasonBoxForm:    "the address of the mailbox breaks the format; ask who runs it for a new one",
	ReasonBoxHost:    "the address of a mailbox holds 1 to 4 hosts: ip4 or ip6 with tcp or udp quic-v1",
}

// An InputError refuses a text that a person typed or pasted. It never holds
// the text, which may be secret.
type InputError struct {
	Reason Reason
	Word   int // with ReasonPhraseWord: which word, from 1
}

func (e *InputError) Error() string { return "identity: " + sentences[e.Reason] + e.position() }

func (e *InputError) position() string {
	if e.Word == 0 {
		return ""
	}
	return " (word " + strconv.Itoa(e.Word) + ")"
}

func refuse(r Reason) error { return &InputError{Reason: r} }
