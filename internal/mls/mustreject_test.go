package mls

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// The official vectors have no cases that must be refused. These are ours: each
// is a valid object with one rule broken, properly signed where that is what it
// takes, so that the one rule decides. Each has to be refused with its reason,
// and what was there before has to be there after, to the byte.

// leastRefusals is how many cases there have to be.
const leastRefusals = 150

// TestMustReject runs all of them, and counts.
func TestMustReject(t *testing.T) {
	total := 0
	for _, chapter := range []struct {
		name string
		run  func(*testing.T, *refusals)
	}{
		{"6 framing", refuseFraming},
		{"6 handshakes", refuseHandshakes},
		{"6.3 messages", refuseMessages},
		{"7.2 leaves", refuseLeaves},
		{"7.5 paths", refusePaths},
		{"7.9 trees", refuseTrees},
		{"8.4 keys of other groups", refuseSuccessors},
		{"10 key packages", refuseKeyPackages},
		{"12.1.8 outsiders", refuseOutsiders},
		{"12.2 lists of proposals", refuseProposalLists},
		{"12.2 SelfRemove", refuseSelfRemoves},
		{"12.4.2 commits", refuseCommits},
		{"12.4.2 closed groups", refuseInClosedGroups},
		{"12.4.3.1 Welcomes", refuseWelcomes},
		{"12.4.3.2 external commits", refuseExternalCommits},
		{"12.4.3.3 encodings of trees", refuseTreeEncodings},
		{"stored forms", refuseStored},
	} {
		t.Run(chapter.name, func(t *testing.T) {
			r := &refusals{t: t, seen: make(map[string]bool)}
			chapter.run(t, r)
			t.Logf("%d cases", len(r.seen))
			total += len(r.seen)
		})
	}
	t.Logf("%d cases were refused", total)
	if total < leastRefusals {
		t.Errorf("want %d cases", leastRefusals)
	}
}

// refusals checks the cases of one chapter.
type refusals struct {
	t       *testing.T
	seen    map[string]bool
	watched []func() []byte
	before  [][]byte
}

// watch remembers the state of the members, which no case may change. It takes
// the place of what was watched before.
func (r *refusals) watch(members ...*party) {
	r.watched, r.before = nil, nil
	for _, m := range members {
		r.keep(m.state)
	}
}

func (r *refusals) keep(state func() []byte) {
	r.watched = append(r.watched, state)
	r.before = append(r.before, state())
}

// state is all that a member has, as it would be stored.
func (m *party) state() []byte {
	out := slices.Concat(m.secret.Marshal(), m.pack.Bytes())
	if m.epoch != nil {
		out = slices.Concat(out, m.epoch.Marshal(), m.epoch.pub.Marshal(), m.epoch.secrets.encryption)
	}
	return out
}

// refused checks one case: its error, and that nothing changed.
func (r *refusals) refused(what string, err error, want Reason) {
	r.t.Helper()
	r.note(what)
	refused(r.t, what, err, want)
}

// refusedAs is refused for an error that is a fact and has no reason.
func (r *refusals) refusedAs(what string, err, want error) {
	r.t.Helper()
	r.note(what)
	if !errors.Is(err, want) {
		r.t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func (r *refusals) note(what string) {
	r.t.Helper()
	if r.seen[what] {
		r.t.Errorf("%s: the same name twice", what)
	}
	r.seen[what] = true
	r.t.Log(what)
	if len(r.watched) == 0 {
		r.t.Fatalf("%s: no state is watched", what)
	}
	for i, state := range r.watched {
		if !bytes.Equal(state(), r.before[i]) {
			r.t.Errorf("%s: left a trace", what)
		}
	}
}

func refused(t *testing.T, what string, err error, want Reason) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Reason != want {
		t.Errorf("%s: got %v, want %q", what, err, want)
	}
}
