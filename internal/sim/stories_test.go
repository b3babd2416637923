package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// What went wrong with messages in other programs, each story named after what must
// happen here (docs/assurance.md, "Stories of messages").

// TestLeaveAndDelete: Ben deletes one of his messages and leaves, while Cleo is off (Peergos:
// leave and delete). What he said stays, what he deleted is gone, also for Cleo, who hears
// of both from Ann; and who left can delete nothing more.
func TestLeaveAndDelete(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ben.Say(g, "stays"))
	must(t, ben.Say(g, "secret"))
	w.Run(5000)
	cleo.Stop()
	must(t, ben.SayBody(g, group.Delete{Of: line(t, ben, g, "secret").Target()}))
	w.Run(5000)
	must(t, ben.Do(g, group.Leave{}))
	w.Run(10_000)
	if status(ben, g) != group.StatusLeft {
		t.Fatalf("Ben has status %d", status(ben, g))
	}
	if err := ben.SayBody(g, group.Delete{Of: line(t, ben, g, "stays").Target()}); err == nil {
		t.Error("who left deletes")
	}
	ben.Stop()
	cleo.Start()
	w.Run(10_000)
	must(t, cleo.Say(g, "after"))
	w.Run(10_000)
	pages(t, g, []string{"stays", "deleted by " + by(ben), "after"}, ann, cleo)
	for _, n := range []*sim.Node{ann, cleo} {
		nothingLeft(t, n, g, "secret")
	}
	alike(t, g, ann, cleo)
}

// TestEditThroughTheMiddle: Ann edits her message twice, and Cleo, whom she never meets, has
// it from Ben, in the other order (Peergos: edit). All see the last wording.
func TestEditThroughTheMiddle(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	alone(w, cleo)
	must(t, ann.Say(g, "one"))
	of := line(t, ann, g, "one").Target()
	w.Run(3000)
	var edits []group.Packed
	for _, text := range []string{"two", "three"} {
		must(t, ann.SayBody(g, group.Edit{Of: of, Text: text}))
		edits = append(edits, packedAt(ann, g, newestRow(ann, g)))
		w.Run(3000)
	}
	ann.Stop()
	w.Heal(ben, cleo)
	for _, p := range slices.Backward(edits) {
		w.Deliver(ben, cleo, g, entries(p))
	}
	w.Run(10_000)
	pages(t, g, []string{"three; <one>; <two>; <three>"}, ben, cleo)
	if waiting(cleo, g) > 0 {
		t.Errorf("%d wait", waiting(cleo, g))
	}
}

// TestOldKeysOpenNothingNew: Cleo is removed and invited again (Peergos: new keys). The
// keys that she had before, of which somebody has a copy, open nothing that is written
// after her removal, whether she is out or in again.
func TestOldKeysOpenNothingNew(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, cleo := nodes[0], nodes[2]
	must(t, ann.Say(g, "before"))
	w.Run(5000)
	old := epochOf(t, cleo, g)
	must(t, ann.Say(g, "with the old keys"))
	opens := func(text string) bool {
		// Each with the keys as they were when they were copied.
		_, _, err := old.Decrypt(ratchetsOf(t, cleo, g, old), packedAt(ann, g, line(t, ann, g, text)).Ciphertext)
		return err == nil
	}
	if !opens("with the old keys") {
		t.Fatal("the copy opens nothing at all")
	}
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	w.Run(5000)
	must(t, ann.Say(g, "without Cleo"))
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
	w.Run(5000)
	must(t, cleo.Do(g, group.Accept{}))
	w.Run(5000)
	must(t, ann.Say(g, "with Cleo"))
	w.Run(5000)
	sees(t, g, []string{"before", "with the old keys", "with Cleo"}, cleo)
	for _, text := range []string{"without Cleo", "with Cleo"} {
		if opens(text) {
			t.Errorf("the old keys open %q", text)
		}
	}
}

// TestMissingEvents: of 60 messages the newest alone reaches Ben (Matrix Complement,
// get_missing_events). It is shown at once, marked as waiting; the others are asked for by
// name, of who is there, and stand before it; and where nobody gives them, or one of them is
// false, nothing hangs.
func TestMissingEvents(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Run(10 * minute)
	alone(w, ben)
	var want []string
	for i := range 60 {
		want = append(want, fmt.Sprint(i))
		must(t, nodes[i%2*2].Say(g, want[i]))
		w.Run(3000)
	}
	newest := packedAt(cleo, g, newestRow(cleo, g))
	ann.Stop()
	w.Heal(ben, cleo)
	w.Deliver(cleo, ben, g, entries(newest))
	if got := ben.Texts(g); !slices.Equal(got, want[59:]) || waiting(ben, g) != 1 || machine(ben, g).View().Missing == 0 {
		t.Errorf("at once Ben sees %q, %d wait, %d are missing", got, waiting(ben, g), machine(ben, g).View().Missing)
	}
	w.Run(20_000)
	sees(t, g, want, ben)
	if waiting(ben, g) > 0 || machine(ben, g).View().Missing > 0 {
		t.Errorf("%d wait, %d are missing", waiting(ben, g), machine(ben, g).View().Missing)
	}
	// What is named and nobody has: asked for, and all else goes on.
	f := newForger(t, w, cleo, g)
	f.next("after what nobody has", func(d *draft) {
		d.Parents, d.Lamport = append(d.Parents, dag.Ref{Device: ann.Self.Device.ID(), Seq: 1000, Hash: wire.Short{1}}), 2000
		slices.SortFunc(d.Parents, dag.Ref.Compare)
		d.Parents = slices.DeleteFunc(d.Parents, func(r dag.Ref) bool { return r.Device == ann.Self.Device.ID() && r.Seq < 1000 })
	})
	w.Deliver(cleo, ben, g, entries(f.log...))
	cleo.Stop()
	ann.Start()
	w.HealAll()
	w.Run(20_000)
	must(t, ann.Say(g, "Ann goes on"))
	w.Run(5000)
	must(t, ben.Say(g, "Ben goes on"))
	w.Run(20_000)
	for n, waits := range map[*sim.Node]int{ann: 0, ben: 1} { // what waits is given to nobody
		if got := slices.DeleteFunc(n.Texts(g), func(s string) bool { return s == "after what nobody has" }); !slices.Equal(got, append(slices.Clone(want), "Ann goes on", "Ben goes on")) {
			t.Errorf("%s sees %q", n.Name, got)
		}
		if waiting(n, g) != waits {
			t.Errorf("%s has %d that wait", n.Name, waiting(n, g))
		}
	}
	sent := len(w.History)
	w.Run(600_000)
	if n := len(w.History) - sent; n > 200 {
		t.Errorf("in ten minutes %d frames ask for what nobody has", n)
	}
}

// TestEntryBeforeItsBlock: a message comes before the block that it is written at, which
// is refused by no rule and forgotten by nobody (Matrix Complement: what was rejected once
// must not stay so).
func TestEntryBeforeItsBlock(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	alone(w, ben)
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"}))
	w.Run(3000)
	must(t, ann.Say(g, "at the new block"))
	w.Run(3000)
	p := packedAt(ann, g, line(t, ann, g, "at the new block"))
	ann.Stop()
	w.Heal(ben, cleo)
	for range 3 {
		w.Deliver(cleo, ben, g, entries(p))
	}
	sees(t, g, nil, ben)
	w.Run(10_000)
	sees(t, g, []string{"at the new block"}, ben, cleo)
	if rules := accusations(ben, g); len(rules) > 0 {
		t.Errorf("Ben accuses of %q", rules)
	}
}

// TestWithheldBranchKeepsMessages: Eve, an admin, keeps back a branch on which she and Fay
// write, until the others have settled theirs and written on it (Marmot 964: a withheld
// branch wins, and messages are gone). Nobody's message is lost or shown twice.
func TestWithheldBranchKeepsMessages(t *testing.T) {
	for _, wait := range []uint64{3000, 30 * minute} { // before and after the others have settled
		w, nodes, g := trip(t, "Ann", "Ben", "Eve", "Fay")
		ann, ben, eve, fay := nodes[0], nodes[1], nodes[2], nodes[3]
		promote(t, w, g, ann, eve)
		w.Run(10 * minute)
		part(w, eve, fay)
		must(t, eve.Do(g, group.SetTitle{Title: "Eve's"}))
		must(t, ann.Do(g, group.SetTitle{Title: "Ann's"}))
		w.Run(3000)
		for i, n := range []*sim.Node{ann, eve, ben, fay} {
			must(t, n.Say(g, fmt.Sprint(n.Name, " ", i)))
			w.Run(1000)
		}
		w.Run(wait)
		w.HealAll()
		w.Run(30 * minute)
		alike(t, g, nodes...)
		sees(t, g, []string{"Ann 0", "Eve 1", "Ben 2", "Fay 3"}, nodes...)
	}
}

// TestSaidIsSent: the program dies when a message was written, with or without it being
// durable (White Noise 623: state goes on before anything is out). If it was, it goes out
// after the start, once; if not, nothing of it was seen by anybody, and what is written
// next is read.
func TestSaidIsSent(t *testing.T) {
	for _, crash := range []sim.Crash{sim.CrashBefore, sim.CrashAfter} {
		w, nodes, g := trip(t, "Ann", "Ben")
		ann, ben := nodes[0], nodes[1]
		ann.Crash = crash
		if err := ann.Say(g, "dying"); err == nil {
			t.Fatal("Ann lives")
		}
		sees(t, g, nil, ben)
		w.Run(10_000)
		must(t, ann.Say(g, "living"))
		w.Run(10_000)
		want := []string{"dying", "living"}
		if crash == sim.CrashBefore {
			want = want[1:]
		}
		sees(t, g, want, ann, ben)
		if rules := accusations(ben, g); len(rules) > 0 {
			t.Errorf("Ben accuses of %q", rules)
		}
	}
}

// TestWrittenAloneGoesOut: Ann writes where nobody is, restarts many times, and meets
// somebody after a year: all of it goes out then (Status: messages written while off never
// left). No time was set after which it would not.
func TestWrittenAloneGoesOut(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	ben.Stop()
	cleo.Stop()
	var want []string
	for i := range 12 {
		want = append(want, fmt.Sprint("month ", i))
		must(t, ann.Say(g, want[i]))
		w.Run(30 * 24 * 60 * minute)
		ann.Stop()
		ann.Start()
	}
	cleo.Start()
	w.Run(60_000)
	ann.Stop()
	ben.Start() // has it from Cleo
	w.Run(60_000)
	sees(t, g, want, cleo, ben)
}

// TestTicksAreSigned: that bytes went into a session says nothing: a message counts as
// delivered when the other device has signed that it has it, and with nothing else (Status,
// Signal: ticks lie).
func TestTicksAreSigned(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	reached := func(text string) (names []string) {
		place := line(t, ann, g, text).Place
		people, _ := machine(ann, g).Delivered(place.Device, place.Seq)
		for _, n := range nodes {
			if slices.Contains(people, n.Self.Person) {
				names = append(names, n.Name)
			}
		}
		return names
	}
	must(t, ann.Say(g, "first"))
	w.Run(5000)
	if got := reached("first"); !slices.Equal(got, []string{"Ben", "Cleo"}) {
		t.Fatalf("the first reached %v", got)
	}
	must(t, ann.Say(g, "second"))
	if to := ann.Sent[len(ann.Sent)-2:]; len(to[0].Bytes) < 600 || len(to[1].Bytes) < 600 {
		t.Fatal("Ann has not sent it to both")
	}
	ben.Stop() // with the bytes under way
	if got := reached("second"); len(got) > 0 {
		t.Errorf("sent, it reached %v", got)
	}
	w.Run(10_000)
	if got := reached("second"); !slices.Equal(got, []string{"Cleo"}) {
		t.Errorf("without Ben it reached %v", got)
	}
	// Ben's word comes by Cleo, when Ann and he never meet.
	w.Cut(ann, ben)
	ben.Start()
	w.Run(20_000)
	if got := reached("second"); !slices.Equal(got, []string{"Ben", "Cleo"}) {
		t.Errorf("by Cleo it reached %v", got)
	}
}
