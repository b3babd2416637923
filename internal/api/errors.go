package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"unicode"

	"connectrpc.com/connect"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/node"
	"kith/internal/search"
	"kith/internal/store"
)

// Reason says in a stable word why this package refuses a request.
type Reason string

// Reasons of an Error.
const (
	ReasonCode         Reason = "code"       // unknown, used or too old
	ReasonManyCodes    Reason = "many-codes" // too many wrong codes within a minute
	ReasonToken        Reason = "token"      // none, or one of no session
	ReasonSocket       Reason = "socket"     // a call of the socket alone
	ReasonCursor       Reason = "cursor"     // not a place
	ReasonLimit        Reason = "limit"      // more messages than one answer holds
	ReasonFound        Reason = "found"      // more messages than one answer of a search holds
	ReasonRole         Reason = "role"       // neither member nor admin
	ReasonEmpty        Reason = "empty"      // a name that is needed is missing
	ReasonWeb          Reason = "web"        // not a loopback address
	ReasonPort         Reason = "port"       // the page's port is taken
	ReasonRunning      Reason = "running"    // another program answers on the socket
	ReasonPath         Reason = "path"       // too long for a Unix socket
	ReasonNoRun        Reason = "not-running"
	ReasonSelf         Reason = "self"          // oneself where somebody else is needed
	ReasonNotes        Reason = "notes"         // "Notes to self" stays
	ReasonDays         Reason = "days"          // no such number of days
	ReasonDirect       Reason = "direct"        // a direct chat is not deleted
	ReasonLeaving      Reason = "leaving"       // one still leaves what is to be deleted
	ReasonPoll         Reason = "poll"          // no question, or not 2 to 20 options that differ
	ReasonEmoji        Reason = "emoji"         // not one
	ReasonText         Reason = "text"          // not UTF-8
	ReasonNothing      Reason = "nothing"       // no text
	ReasonGone         Reason = "gone"          // it stopped during a call
	ReasonOver         Reason = "over"          // who only looked on is told no more
	ReasonFolder       Reason = "folder"        // there is none to write into
	ReasonKept         Reason = "kept"          // what was kept of a group cannot be read
	ReasonLifetime     Reason = "lifetime"      // longer than a year
	ReasonRoot         Reason = "root"          // a service of the machine's, not of a user's
	ReasonNoManager    Reason = "no-manager"    // a system without systemd
	ReasonManager      Reason = "manager"       // systemd refused
	ReasonOtherService Reason = "other-service" // one that is not of this home
	ReasonNoService    Reason = "no-service"    // there is none to remove

	ReasonLocked          Reason = "locked"           // the home: there is no node
	ReasonUnlocked        Reason = "unlocked"         // it is not
	ReasonNoLock          Reason = "no-lock"          // nobody could open it again
	ReasonManyPassphrases Reason = "many-passphrases" // too many tries within a minute
	ReasonMinutes         Reason = "minutes"          // none after which a home is locked
)

// An Error is a request that this package refuses.
type Error struct {
	Reason  Reason
	Subject string // what it was about; may be empty
	Err     error
}

func (e *Error) Error() string {
	s := "api: " + string(e.Reason)
	if e.Subject != "" {
		s += " " + e.Subject
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// ReasonHeader carries Explanation.Reason in an answer of the interface.
const ReasonHeader = "Kith-Reason"

// An Explanation is an error as people see it.
type Explanation struct {
	Reason   string // stable, "node/unknown"
	Code     connect.Code
	Sentence string // what, and why
	Hint     string // what to do
}

// String is one line.
func (e Explanation) String() string { return e.Sentence + " " + e.Hint }

// Explain finds the row of err in the table.
func Explain(err error) Explanation {
	key, subject := keyOf(err)
	row, known := table[key]
	if !known {
		return Explanation{
			Reason: "internal", Code: connect.CodeInternal,
			Sentence: "It failed inside Kith: " + oneLine(err.Error(), 300) + ".",
			Hint:     "Try again; if it stays, report this line.",
		}
	}
	hint := strings.TrimSpace(strings.ReplaceAll(row.hint, "{}", oneLine(subject, 400)))
	sentence := strings.ReplaceAll(strings.ReplaceAll(row.sentence, "{n}", subject), "{}", quote(subject))
	return Explanation{key, row.code, sentence, hint}
}

// keyOf names the row of err and what fills its gap. A refusal by rule wraps
// other errors, so it is looked for first.
func keyOf(err error) (key, subject string) {
	if e, ok := errors.AsType[*Error](err); ok {
		return "api/" + string(e.Reason), e.Subject
	}
	if e, ok := errors.AsType[*identity.InputError](err); ok {
		return "identity/" + string(e.Reason), ""
	}
	if e, ok := errors.AsType[*node.Error](err); ok {
		return "node/" + string(e.Reason), e.Subject
	}
	if e, ok := errors.AsType[*group.Refusal](err); ok {
		return "group/" + string(e.Reason), ""
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.key, ""
		}
	}
	if e, ok := errors.AsType[*chain.RecordError](err); ok {
		return "chain/" + string(e.Reason), ""
	}
	if e, ok := errors.AsType[*chain.StandingError](err); ok {
		return "proof/" + string(e.Reason), fmt.Sprint(e.Height)
	}
	if e, ok := errors.AsType[*chain.TwiceError](err); ok {
		return "proof/twice", fmt.Sprint(e.Heights[0])
	}
	if e, ok := errors.AsType[*chain.RejectError](err); ok {
		return "chain/invalid", fmt.Sprintf("height %d, rule %s: %s", e.Height, e.Rule, e.Reason)
	}
	if store.Full(err) { // somebody else's refusal than the database's
		return "store/full", ""
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "file/none", e.Path
		case errors.Is(err, fs.ErrExist):
			return "file/exists", e.Path
		case errors.Is(err, fs.ErrPermission):
			return "file/permission", e.Path
		case errors.Is(err, syscall.ENOTDIR):
			return "file/folder", e.Path
		case errors.Is(err, syscall.EISDIR):
			return "file/is-folder", e.Path
		}
	}
	return "", ""
}

// sentinels are the errors without a Reason.
var sentinels = []struct {
	err error
	key string
}{
	{chain.ErrNewer, "chain/newer"},
	{search.ErrTooLong, "search/too-long"},
	{search.ErrNoWord, "search/no-word"},
	{store.ErrInUse, "store/in-use"},
	{store.ErrWrongKey, "store/wrong-key"},
	{store.ErrDamaged, "store/damaged"},
	{store.ErrNewer, "store/newer"},
	{store.ErrFull, "store/full"},
	{store.ErrClosed, "store/closed"},
	{store.ErrPermissions, "store/permissions"},
	{store.ErrKeyMissing, "store/key-missing"},
	{store.ErrKeyFile, "store/key-file"},
	{store.ErrWrongPassphrase, "store/wrong-passphrase"},
	{store.ErrNoPassphrase, "store/no-passphrase"},
	{store.ErrSamePassphrase, "store/same-passphrase"},
	{store.ErrVault, "store/vault"},
	{store.ErrNoVault, "store/no-vault"},
	{store.ErrNoHome, "store/no-home"},
	{store.ErrRange, "store/range"},
	{link.ErrPortTaken, "link/port-taken"},
	{context.Canceled, "call/canceled"},
	{context.DeadlineExceeded, "call/deadline"},
}

// asConnect makes what the interface answers: sentence and hint, with the
// stable reason beside them.
func asConnect(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*connect.Error](err); ok {
		return e // made by the interface itself: a request that does not parse, a client that went away
	}
	x := Explain(err)
	e := connect.NewError(x.Code, errors.New(x.String()))
	e.Meta().Set(ReasonHeader, x.Reason)
	return e
}

func quote(subject string) string {
	if subject = oneLine(subject, 80); subject == "" {
		return "that"
	}
	return "“" + subject + "”"
}

// oneLine keeps a text from ending its line, from steering a terminal, and from
// filling the screen.
func oneLine(s string, runes int) string {
	n := 0
	return strings.Map(func(r rune) rune {
		n++
		switch {
		case n == runes+1:
			return '…'
		case n > runes:
			return -1
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsGraphic(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
