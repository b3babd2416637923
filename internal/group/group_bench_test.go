package group_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

var benchSizes = []int{2, 10, 100}

// newcomers are people who are not in a group yet.
func newcomers(w *sim.World, n int) (list []group.Newcomer) {
	for i := range n {
		list = append(list, w.Add(fmt.Sprintf("member %d", i)).Newcomer())
	}
	return list
}

// large makes a group of n, alone on its creator's device.
func large(b *testing.B, n int) (*sim.World, *sim.Node, wire.GroupID) {
	w := sim.New(1)
	ann := w.Add("Ann")
	others := newcomers(w, n-1)
	m, _, err := group.Create(ann.Self, group.CreateParams{Title: "Large", Newcomers: others}, w.Now)
	if err != nil {
		b.Fatal(err)
	}
	ann.Groups[m.Group()] = &sim.Replica{Machine: m}
	return w, ann, m.Group()
}

func machines(b *testing.B, run func(b *testing.B, w *sim.World, m *group.Machine)) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, ann, g := large(b, n)
			b.ReportAllocs()
			b.ResetTimer()
			run(b, w, ann.Groups[g].Machine)
		})
	}
}

func step(b *testing.B, m *group.Machine, now uint64, c group.Cause) group.Effects {
	eff, err := m.Step(group.Input{Now: now, Cause: c})
	if err != nil {
		b.Fatal(err)
	}
	return eff
}

// BenchmarkCompose is one message written, by the size of the group.
func BenchmarkCompose(b *testing.B) {
	text, err := group.Text("hello")
	if err != nil {
		b.Fatal(err)
	}
	machines(b, func(b *testing.B, w *sim.World, m *group.Machine) {
		for b.Loop() {
			step(b, m, w.Now, group.Compose{Content: text})
		}
	})
}

// BenchmarkTick is a step in which nothing is due.
func BenchmarkTick(b *testing.B) {
	machines(b, func(b *testing.B, w *sim.World, m *group.Machine) {
		for b.Loop() {
			step(b, m, w.Now, group.Tick{})
		}
	})
}

// BenchmarkView is the picture a node draws after a change.
func BenchmarkView(b *testing.B) {
	machines(b, func(b *testing.B, w *sim.World, m *group.Machine) {
		for b.Loop() {
			m.View()
			m.Devices()
			m.Unreached()
		}
	})
}

// BenchmarkChange is one block of an admin's: a new title, and so a commit.
func BenchmarkChange(b *testing.B) {
	machines(b, func(b *testing.B, w *sim.World, m *group.Machine) {
		for i := 0; b.Loop(); i++ {
			step(b, m, w.Now+uint64(i)*1000, group.SetTitle{Title: fmt.Sprintf("Title %d", i)})
		}
	})
}

// BenchmarkCreate is a group made with everybody in its first block.
func BenchmarkCreate(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := sim.New(1)
			ann := w.Add("Ann")
			others := newcomers(w, n-1)
			b.ResetTimer()
			for b.Loop() {
				if _, _, err := group.Create(ann.Self, group.CreateParams{Title: "Large", Newcomers: others}, w.Now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReceive is one message of another member's, from payload to row.
func BenchmarkReceive(b *testing.B) {
	text, err := group.Text("hello")
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := sim.New(1)
			ann, ben := w.Add("Ann"), w.Add("Ben")
			g := ann.Create(group.CreateParams{Title: "Large", Newcomers: append(newcomers(w, n-2), ben.Newcomer())})
			w.Run(1000)
			if err := ben.Do(g, group.Accept{}); err != nil {
				b.Fatal(err)
			}
			w.Run(5000)
			from, to := ann.Groups[g].Machine, ben.Groups[g].Machine
			b.ReportAllocs()
			b.ResetTimer()
			now := w.Now
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				if i%500 == 499 { // Ben says to have them: nobody writes on without that
					now += 5000
					for _, f := range step(b, to, now, group.Tick{}).Send {
						step(b, from, now, group.Received{From: ben.Self.Member(), Payload: f.Payload})
					}
				}
				var payload []byte
				for _, f := range step(b, from, now, group.Compose{Content: text}).Send {
					payload = f.Payload
				}
				b.StartTimer()
				if eff := step(b, to, now, group.Received{From: ann.Self.Member(), Payload: payload}); len(eff.Rows) != 1 {
					b.Fatalf("%d rows", len(eff.Rows))
				}
			}
		})
	}
}

// BenchmarkJoin is an invitation into a group of n checked from genesis and
// joined, and how many bytes it has.
func BenchmarkJoin(b *testing.B) {
	for _, n := range append(benchSizes[:len(benchSizes):len(benchSizes)], 250) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := sim.New(1)
			ann, ben := w.Add("Ann"), w.Add("Ben")
			pack, err := ben.Self.NewPackage(group.NewSuite, w.Now)
			if err != nil {
				b.Fatal(err)
			}
			guest := group.Newcomer{
				Person: ben.Self.Person, Headers: ben.Self.Headers, Info: ben.Self.Info,
				KnockKey: ben.Self.Device.KnockKey(), KeyPackage: pack.Public,
			}
			m, _, err := group.Create(ann.Self, group.CreateParams{Title: "Large", Newcomers: append(newcomers(w, n-2), guest)}, w.Now)
			if err != nil {
				b.Fatal(err)
			}
			var payload []byte
			for _, f := range step(b, m, w.Now, group.PeerUp{Peer: ben.Self.Member()}).Send {
				if group.IsInvitation(f.Payload) {
					payload = f.Payload
				}
			}
			for b.Loop() {
				_, _, err := group.Join(ben.Self, payload, ann.Self.Member(), func(group.Use) ([]byte, bool) { return pack.Secrets, true }, w.Now)
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(payload)), "bytes")
		})
	}
}
