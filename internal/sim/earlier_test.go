package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Numbers of payloads (docs/spec/sync.md).
const (
	kindAskEarlier = 33
	kindEarlier    = 34
)

// talk is a trip of three people who have said something, oldest first.
func talk(t *testing.T, messages int) (w *sim.World, nodes []*sim.Node, g wire.GroupID, said []string) {
	t.Helper()
	w, nodes, g = trip(t, "Ann", "Ben", "Cleo")
	for i := range messages {
		said = append(said, fmt.Sprint("message ", i))
		must(t, nodes[i%3].Say(g, said[i]))
		w.Run(1000)
	}
	w.Run(5000)
	return w, nodes, g, said
}

func earlierOf(n *sim.Node, g wire.GroupID) group.EarlierView {
	return n.Groups[g].Machine.View().Earlier
}

// TestAllHistory: whoever comes in where newcomers get all is given it by any member,
// also one who was given it, while who invited is away, and over restarts.
func TestAllHistory(t *testing.T) {
	w, nodes, g, said := talk(t, 700) // more than one answer
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Do(g, group.SetHistory{History: chain.HistoryAll}))
	w.Run(5000)
	dan := w.Add("Dan")
	w.Cut(ben, dan)
	w.Cut(cleo, dan)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(1000)
	must(t, dan.Do(g, group.Accept{}))
	ann.Stop() // before Dan has it
	w.Run(5000)
	w.HealAll()
	w.Run(60)
	dan.Stop() // in the middle of it
	dan.Start()
	w.Run(30_000)
	sees(t, g, said, dan)
	if v := earlierOf(dan, g); v.Have != 700 || v.Of != 700 || !v.Reached || !v.Proved || v.Lacking != 0 {
		t.Errorf("Dan knows of the past %+v", v)
	}
	eve := w.Add("Eve")
	ann.Start()
	promote(t, w, g, ann, dan)
	for _, n := range []*sim.Node{ann, ben, cleo} {
		w.Cut(n, eve)
	}
	enter(t, w, g, dan, eve)
	must(t, eve.Say(g, "hello"))
	w.Run(30_000)
	sees(t, g, append(slices.Clone(said), "hello"), dan, eve)
}

// gives lets Ann say what newcomers are given.
func gives(t *testing.T, w *sim.World, g wire.GroupID, ann *sim.Node, h group.SetHistory) {
	t.Helper()
	must(t, ann.Do(g, h))
	w.Run(5000)
}

// TestNoHistory: where newcomers are given nothing they ask for nothing, whatever the
// policy becomes later; who asks all the same is given nothing.
func TestNoHistory(t *testing.T) {
	w, nodes, g, _ := talk(t, 6)
	ann, dan := nodes[0], w.Add("Dan")
	enter(t, w, g, ann, dan)
	gives(t, w, g, ann, group.SetHistory{History: chain.HistoryAll})
	must(t, ann.Say(g, "for all"))
	w.Run(30_000)
	sees(t, g, []string{"for all"}, dan)
	if slices.ContainsFunc(dan.Sent, func(p sim.Payload) bool { return p.Bytes[0] == kindAskEarlier }) {
		t.Error("Dan asks")
	}
	if v := earlierOf(dan, g); !v.Reached || v.Have != 0 || !v.Newcomer {
		t.Errorf("Dan knows of the past %+v", v)
	}
	var all []dag.Ref
	for d, tip := range machine(ann, g).Frontier() {
		all = append(all, dag.Ref{Device: d, Seq: min(tip.Seq, 2), Hash: tip.Hash})
	}
	slices.SortFunc(all, dag.Ref.Compare)
	must(t, ann.Say(g, "last"))
	w.Run(5000)
	for _, tip := range all {
		served := asksFor(t, w, dan, ann, g, tip)
		if len(served.Refs) > 0 {
			t.Errorf("Dan, who asks for %v, is given %v", tip, served.Refs)
		}
	}
}

// asksFor returns what a machine would give to who asks for an entry and what lies below.
func asksFor(t *testing.T, w *sim.World, who, of *sim.Node, g wire.GroupID, ref dag.Ref) (s group.Serve) {
	t.Helper()
	var ask wire.Writer
	ask.U8(kindAskEarlier)
	for range 2 {
		ask.Group(func(w *wire.Writer) {
			w.Raw(group.EntryKey(ref))
		})
	}
	eff, err := machine(of, g).Step(group.Input{Now: w.Now, Cause: group.Received{From: who.Self.Member(), Payload: ask.Bytes()}})
	must(t, err)
	for _, s := range eff.Serve {
		if s.Earlier {
			return s
		}
	}
	return s
}

// TestSomeDays: newcomers are given the days that the policy names, header and text, and
// nothing older, header or text; enough members say so, and that is that.
func TestSomeDays(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann := nodes[0]
	gives(t, w, g, ann, group.SetHistory{History: chain.HistorySince, Days: 2})
	var recent []string
	for i := range 10 {
		for _, n := range nodes {
			text := fmt.Sprint(n.Name, " on day ", i)
			must(t, n.Say(g, text))
			if i >= 8 {
				recent = append(recent, text)
			}
			w.Run(60_000)
		}
		w.Run(day - 180_000)
	}
	dan := w.Add("Dan")
	enter(t, w, g, ann, dan)
	w.Run(60_000)
	sees(t, g, recent, dan)
	v := earlierOf(dan, g)
	if v.Have != len(recent) || !v.Reached || !v.Proved || v.Lacking != 0 || v.Days != 2 {
		t.Errorf("Dan knows of the past %+v", v)
	}
	if n := len(dan.Groups[g].Records[group.KindEarlier]); n != len(recent)+1 { // and what is known of it
		t.Errorf("Dan keeps %d records of %d entries", n, len(recent))
	}
	dan.Stop()
	sent := len(dan.Sent)
	dan.Start()
	w.Run(60_000)
	if got := earlierOf(dan, g); got != v {
		t.Errorf("after a restart Dan knows %+v, before %+v", got, v)
	}
	if slices.ContainsFunc(dan.Sent[sent:], func(p sim.Payload) bool { return p.Bytes[0] == kindAskEarlier }) {
		t.Error("Dan asks on")
	}
}

// TestLieAboutHistory: who hands over something else than what was said is found out and
// named, and what was said comes from another.
func TestLieAboutHistory(t *testing.T) {
	w, nodes, g, said, dan := awaitsHistory(t)
	ben, cleo := nodes[1], nodes[2]
	lies := 0
	lie := func() []byte {
		var b wire.Writer
		b.U8(kindEarlier)
		b.Group(func(b *wire.Writer) {
			for _, header := range newestFirst(t, cleo, g) {
				b.Vec(header)
				b.Vec(append(make([]byte, 32), 0, 1, 2, 'h', 'i'))
			}
		})
		b.U8(1)
		return b.Bytes()
	}
	w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
		for _, f := range eff.Send {
			if n == dan && f.To == cleo.Self.Device.ID() && f.Payload[0] == kindAskEarlier && lies == 0 {
				lies++
				w.Deliver(cleo, dan, g, lie())
				w.Cut(cleo, dan)
			}
		}
	}
	w.Heal(cleo, dan)
	w.Run(20_000)
	if rules := accusations(dan, g); lies != 1 || len(rules) != 9 || slices.ContainsFunc(rules, func(r string) bool { return r != "history" }) {
		t.Fatalf("after %d lies Dan has seen %q broken", lies, rules)
	}
	sees(t, g, nil, dan)
	w.Heal(ben, dan)
	w.Run(20_000)
	sees(t, g, said, dan)
	if v := earlierOf(dan, g); v.Lacking != 0 || !v.Reached {
		t.Errorf("Dan knows of the past %+v", v)
	}
}

// newestFirst returns the headers of all entries, the last displayed first.
func newestFirst(t *testing.T, n *sim.Node, g wire.GroupID) (list [][]byte) {
	t.Helper()
	var headers []*dag.Header
	for _, b := range n.Groups[g].Records[group.KindEntry] {
		h, err := dag.ParseHeader(b)
		must(t, err)
		headers = append(headers, h)
	}
	slices.SortFunc(headers, func(a, b *dag.Header) int { return group.ComparePlaces(b.Place(), a.Place()) })
	for _, h := range headers {
		list = append(list, h.Bytes())
	}
	return list
}

// TestForgedHistory: an entry that a member signs now, as if it had been there before, is
// taken in by nobody: nothing names it.
func TestForgedHistory(t *testing.T) {
	w, nodes, g, said := talk(t, 6)
	ann, ben := nodes[0], nodes[1]
	gives(t, w, g, ann, group.SetHistory{History: chain.HistoryAll})
	dan := w.Add("Dan")
	list := newestFirst(t, ben, g)
	for _, b := range list {
		h, err := dag.ParseHeader(b)
		must(t, err)
		if h.Device != ben.Self.Device.ID() || h.Seq != 2 {
			continue
		}
		salt := [32]byte{1}
		content := append([]byte{0, 1, 6}, "forged"...)
		h.ContentID = wire.ContentID{7}
		h.ContentCommit = dag.ContentCommit(g, h.Device, h.ContentID, salt, content)
		h.Sign(ben.Self.Device.Sign)
		var f wire.Writer
		f.U8(kindEarlier)
		f.Group(func(f *wire.Writer) {
			f.Vec(h.Bytes())
			f.Vec(append(salt[:], content...))
		})
		f.U8(2)
		w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
			for _, s := range eff.Send {
				if n == dan && s.To == ben.Self.Device.ID() && s.Payload[0] == kindAskEarlier {
					w.Deliver(ben, dan, g, f.Bytes())
				}
			}
		}
	}
	w.Cut(nodes[2], dan)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(1000)
	must(t, dan.Do(g, group.Accept{}))
	w.Cut(ann, dan)
	w.Run(30_000)
	sees(t, g, said, dan)
}

// TestDeletedHistory: of what was deleted newcomers are given the header alone, and see
// that it was; where a member that lacks the Delete hands over the text, it is not shown.
func TestDeletedHistory(t *testing.T) {
	w, nodes, g, said := talk(t, 6)
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	gives(t, w, g, ann, group.SetHistory{History: chain.HistoryAll})
	w.Cut(ann, cleo)
	w.Cut(ben, cleo)
	var row group.Row
	for _, r := range ann.Groups[g].Shown() {
		if r.Person == ann.Self.Person {
			row = r
		}
	}
	must(t, ann.SayBody(g, group.Delete{Of: row.Target()}))
	w.Run(5000)
	dan := w.Add("Dan")
	w.Cut(cleo, dan)
	enter(t, w, g, ann, dan)
	w.Run(10_000)
	left := slices.DeleteFunc(slices.Clone(said), func(s string) bool { return s == "message 3" })
	if got := lines(dan, g); !slices.Equal(got, left) {
		t.Fatalf("Dan sees %q, want %q", got, left)
	}
	if dan.Groups[g].Rows[row.Place].State != group.RowDeleted {
		t.Error("Dan does not see that a message was deleted")
	}
	if n := len(ann.Groups[g].Records[group.KindSalt][string(group.EntryKey(row.Place.Ref()))]); n != 0 {
		t.Error("Ann keeps what proves a text that is deleted")
	}
	w.HealAll()
	w.Run(30_000)
	if got := lines(dan, g); !slices.Equal(got, left) {
		t.Errorf("Dan sees %q, want %q", got, left)
	}
}

// lines are the texts that a person sees.
func lines(n *sim.Node, g wire.GroupID) (list []string) {
	for _, row := range n.Groups[g].Lines() {
		if c, err := group.ParseContent(row.Content); err == nil && row.State == group.RowShown && c.Kind == group.ContentText {
			list = append(list, string(c.Body))
		}
	}
	return list
}

// TestOnlyAdminsSetHistory: who may not, and what is no policy.
func TestOnlyAdminsSetHistory(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	refusedFor(t, "a member", ben.Do(g, group.SetHistory{History: chain.HistoryAll}), group.ReasonRole)
	refusedFor(t, "no days", ann.Do(g, group.SetHistory{History: chain.HistorySince}), group.ReasonDays)
	refusedFor(t, "days of all", ann.Do(g, group.SetHistory{History: chain.HistoryAll, Days: 1}), group.ReasonDays)
	refusedFor(t, "another", ann.Do(g, group.SetHistory{History: 3}), group.ReasonDays)
	refusedFor(t, "that of now", ann.Do(g, group.SetHistory{}), group.ReasonPolicy)
	gives(t, w, g, ann, group.SetHistory{History: chain.HistorySince, Days: 30})
	if p := machine(ben, g).View().Policy; p.History != chain.HistorySince || p.HistoryDays != 30 {
		t.Errorf("Ben knows the policy %+v", p)
	}
}

// TestHistoryAmongOlder: whose program does not hand over is not asked, nor told of a number
// of days, which it could not read.
func TestHistoryAmongOlder(t *testing.T) {
	w := sim.New(1)
	ann, old, cleo, dan := w.Add("Ann"), w.Add("Old"), w.Add("Cleo"), w.Add("Dan")
	old.Self.Omits = group.FeatureHistory
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{old.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	for _, n := range []*sim.Node{old, cleo} {
		must(t, n.Do(g, group.Accept{}))
	}
	w.Run(5000)
	refusedFor(t, "a number of days", ann.Do(g, group.SetHistory{History: chain.HistorySince, Days: 1}), group.ReasonOlder)
	gives(t, w, g, ann, group.SetHistory{History: chain.HistoryAll})
	must(t, old.Say(g, "before"))
	w.Run(5000)
	w.Cut(cleo, dan)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(1000)
	w.Cut(ann, dan)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(30_000)
	sees(t, g, nil, dan)
	w.Heal(cleo, dan)
	w.Run(30_000)
	sees(t, g, []string{"before"}, dan)
	if rules := accusations(old, g); len(rules) > 0 {
		t.Errorf("Old has seen %q broken", rules)
	}
}

// TestHistoryOfWhoComesBack: who was removed and is added again is given what was said
// meanwhile, if the policy then gives it, and not otherwise.
func TestHistoryOfWhoComesBack(t *testing.T) {
	for _, all := range []bool{false, true} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
		ann, ben := nodes[0], nodes[1]
		must(t, ann.Say(g, "one"))
		w.Run(5000)
		must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
		w.Run(5000)
		must(t, ann.Say(g, "two"))
		w.Run(5000)
		if all {
			gives(t, w, g, ann, group.SetHistory{History: chain.HistoryAll})
		}
		enter(t, w, g, ann, ben)
		must(t, ann.Say(g, "three"))
		w.Run(30_000)
		want := []string{"one", "three"}
		if all {
			want = []string{"one", "two", "three"}
		}
		sees(t, g, want, ben)
	}
}
