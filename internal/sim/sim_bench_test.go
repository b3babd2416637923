package sim_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// BenchmarkHeal: two admins remove each other on two sides of a cut. Every frame
// takes 1 ms of virtual time on its way and nothing else takes any, so what passes until
// all who are members have one head is counted in ways: an exchange is two.
func BenchmarkHeal(b *testing.B) {
	for _, others := range []int{2, 5, 10} {
		b.Run(fmt.Sprint(2+others), func(b *testing.B) {
			var ways, frames, bytes int
			for b.Loop() {
				w, nodes, g := apart(b, others)
				frames, bytes = 0, 0
				sent := len(w.History)
				healed := w.Now
				w.HealAll()
				for !oneHead(nodes, g) {
					if !w.Step() {
						b.Fatal("never one head")
					}
				}
				ways = int(w.Now - healed)
				for _, p := range w.History[sent:] {
					frames, bytes = frames+1, bytes+len(p.Bytes)
				}
			}
			b.ReportMetric(float64(ways), "ways")
			b.ReportMetric(float64(frames), "frames")
			b.ReportMetric(float64(bytes), "bytes")
		})
	}
}

// apart is a group of two admins and others, half on each side of a cut; each admin
// has removed the other.
func apart(b *testing.B, others int) (*sim.World, []*sim.Node, wire.GroupID) {
	names := []string{"Ann", "Ben"}
	for i := range others {
		names = append(names, fmt.Sprint("Other", i))
	}
	w, nodes, g := trip(b, names...)
	promote(b, w, g, nodes[0], nodes[1])
	w.Delay = func() uint64 { return 1 }
	w.Run(1000)
	side := []*sim.Node{nodes[0]}
	for i := 2; i < len(nodes); i += 2 {
		side = append(side, nodes[i])
	}
	part(w, side...)
	must(b, nodes[0].Do(g, group.Remove{Person: nodes[1].Self.Person}))
	must(b, nodes[1].Do(g, group.Remove{Person: nodes[0].Self.Person}))
	w.Run(20_000)
	return w, nodes, g
}

// oneHead reports whether all who are members are at one head.
func oneHead(nodes []*sim.Node, g wire.GroupID) bool {
	head := machine(nodes[0], g).Head()
	for _, n := range nodes[2:] {
		if machine(n, g).Head() != head {
			return false
		}
	}
	return true
}

// BenchmarkSettle: a new title in a group of which all or the first 7 vote and
// are connected: virtual time until everybody has it settled.
func BenchmarkSettle(b *testing.B) {
	for _, n := range []int{1, 2, 4, 7} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var seconds float64
			var round uint64
			for b.Loop() {
				names := []string{"Ann"}
				for i := 1; i < n; i++ {
					names = append(names, fmt.Sprint("Other", i))
				}
				w, nodes, g := voting(b, names...)
				must(b, nodes[0].Do(g, group.SetTitle{Title: "Lake"}))
				begun, head := w.Now, machine(nodes[0], g).Head()
				for !settledBy(nodes, g, head) {
					if !w.Step() {
						b.Fatal("never settled")
					}
				}
				seconds, round = float64(w.Now-begun)/1000, final(nodes[0], g).Round
			}
			b.ReportMetric(seconds, "virtual-s")
			b.ReportMetric(float64(round), "rounds")
		})
	}
}

func settledBy(nodes []*sim.Node, g wire.GroupID, block wire.BlockHash) bool {
	for _, n := range nodes {
		if final(n, g).Block != block {
			return false
		}
	}
	return true
}
