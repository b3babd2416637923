package group_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

const (
	chainBurst = 256 << 20 // docs/spec/sync.md, "Pages"
	chainPace  = 4 << 20   // bytes in a second
)

// An asker has a machine answer one payload of a member again and again.
type asker struct {
	t       testing.TB
	m       *group.Machine
	from    *sim.Node
	payload []byte
	wake    uint64
}

// step returns how many bytes one step sends to the asker.
func (a *asker) step(now uint64, c group.Cause) (size int) {
	eff, err := a.m.Step(group.Input{Now: now, Cause: c})
	if err != nil {
		a.t.Fatal(err)
	}
	for _, f := range eff.Send {
		if f.To == a.from.Self.Device.ID() && (f.Payload[0] == kindPages || f.Payload[0] == kindBlocks) {
			size += len(f.Payload)
		}
	}
	a.wake = eff.Wake
	return size
}

func (a *asker) ask(now uint64) int {
	return a.step(now, group.Received{From: a.from.Self.Member(), Payload: a.payload})
}

const (
	kindBlocks    = 3
	kindPages     = 15
	kindAskBlocks = 36
)

// asksForAll are the two payloads by which everything of a chain is asked for.
func asksForAll() map[string][]byte {
	none := []byte{2, 0, 0}                                    // an offer of nothing
	pages := append([]byte{kindPages, 1}, make([]byte, 32)...) // no base
	pages = append(append(pages, none...), 0, 0, 0, 0)         // from the first byte of the tree on
	return map[string][]byte{"pages": pages, "blocks": append(append([]byte{kindAskBlocks}, none...), 0)}
}

// TestShareOfAChain: whoever asks for a whole chain is given one as long as there may be at
// once, and beyond it 4 MiB a second, also by a new session; others are given what they ask for.
func TestShareOfAChain(t *testing.T) {
	for what, payload := range asksForAll() {
		w, ann, ben, g := settledGroup(t, 16)
		dan := w.Add("Dan")
		do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}})
		do(t, w, dan, g, group.Accept{})
		w.Run(10 * minutes)
		a := &asker{t: t, m: machineOf(ann, g), from: ben, payload: payload}
		now := w.Now
		one := a.ask(now)
		if one < 20_000 {
			t.Fatalf("%s: an answer has %d bytes", what, one)
		}
		sum, answers := one, 1
		for range 2 * chainBurst / one {
			if n := a.ask(now); n > 0 {
				sum, answers = sum+n, answers+1
			}
		}
		counted := answers * (one + 64<<10)
		t.Logf("%s: asked %d times, %d answers of %d bytes", what, 1+2*chainBurst/one, answers, one)
		if sum > chainBurst || counted < chainBurst || counted > chainBurst/50*51 { // each rounded down to ms
			t.Errorf("%s: at once %d answers of %d bytes", what, answers, one)
		}
		a.step(now, group.PeerDown{Device: ben.Self.Device.ID()})
		a.step(now, group.PeerUp{Peer: ben.Self.Member()})
		if n := a.ask(now); n > 0 {
			t.Errorf("%s: a new session is given %d bytes more", what, n)
		}
		if a.from = dan; a.ask(now) != one {
			t.Errorf("%s: Dan is not given what he asks for", what)
		}
		a.from, sum = ben, 0
		for ms := range uint64(5000) {
			sum += a.ask(now + ms)
		}
		if sum > 5*chainPace || sum < one {
			t.Errorf("%s: in 5 s %d bytes more", what, sum)
		}
	}
}

// TestPageIsWaitedFor: who has used its share gets the page that it asked for last without
// asking again, long before it would turn to another.
func TestPageIsWaitedFor(t *testing.T) {
	w, ann, ben, g := settledGroup(t, 16)
	a := &asker{t: t, m: machineOf(ann, g), from: ben, payload: asksForAll()["pages"]}
	now := w.Now
	one := a.ask(now)
	for range 2 * chainBurst / one {
		a.ask(now)
	}
	due := now
	for a.step(due, group.Tick{}) == 0 {
		if a.wake == 0 || a.wake > now+10_000 {
			t.Fatalf("%d ms later nothing has come, and the next look is at %d", due-now, a.wake)
		}
		due = a.wake
	}
	if due == now {
		t.Error("nothing was waited for")
	}
	for range 10 {
		if due = a.wake; due == 0 || due > now+10_000 {
			break
		}
		if n := a.step(due, group.Tick{}); n > 0 {
			t.Errorf("%d bytes more were sent unasked", n)
		}
	}
}
