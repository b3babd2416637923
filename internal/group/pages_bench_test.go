package group_test

import (
	"fmt"
	"os"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// longGroup is the machine of Ann, who alone changes a group of n people, by
// blocks of them, and alone votes; the last block adds the guest.
func longGroup(b *testing.B, n, blocks int, guest func(*sim.World) group.Newcomer) (w *sim.World, ann *sim.Node, m *group.Machine) {
	b.Helper()
	w = sim.New(1)
	ann = w.Add("Ann")
	m, _, err := group.Create(ann.Self, group.CreateParams{Title: "Long", Newcomers: newcomers(w, n-2)}, w.Now)
	if err != nil {
		b.Fatal(err)
	}
	settle := func() {
		for range 6 {
			w.Now += 10 * minutes
			step(b, m, w.Now, group.Tick{})
		}
	}
	for i := range blocks - 2 {
		step(b, m, w.Now, group.SetTitle{Title: fmt.Sprint("title ", i)})
		if i%256 == 255 {
			settle()
		}
	}
	settle()
	step(b, m, w.Now, group.Invite{Newcomers: []group.Newcomer{guest(w)}})
	return w, ann, m
}

// BenchmarkJoinLong is an invitation into a group that has changed often, checked
// and joined, and how many bytes it has, and would have with the body of each
// block. KITH_LONG=1: the figures of docs/benchmarks.md, which take minutes to make.
func BenchmarkJoinLong(b *testing.B) {
	sizes := [][2]int{{10, 500}, {100, 100}}
	if os.Getenv("KITH_LONG") != "" {
		sizes = [][2]int{{10, 5000}, {100, 1000}}
	}
	for _, size := range sizes {
		b.Run(fmt.Sprintf("people=%d/blocks=%d", size[0], size[1]), func(b *testing.B) {
			var ben *sim.Node
			var pack group.Package
			w, ann, m := longGroup(b, size[0], size[1], func(w *sim.World) group.Newcomer {
				var err error
				ben = w.Add("Ben")
				if pack, err = ben.Self.NewPackage(group.NewSuite, w.Now); err != nil {
					b.Fatal(err)
				}
				return group.Newcomer{
					Person: ben.Self.Person, Headers: ben.Self.Headers, Info: ben.Self.Info,
					KnockKey: ben.Self.Device.KnockKey(), KeyPackage: pack.Public,
				}
			})
			secrets := func(group.Use) ([]byte, bool) { return pack.Secrets, true }
			var frames, bytes int
			b.ResetTimer()
			for b.Loop() {
				frames, bytes = 0, 0
				j := group.NewJoining(ben.Self, m.Group())
				step(b, m, w.Now, group.PeerDown{Device: ben.Self.Device.ID()})
				cause := group.Cause(group.PeerUp{Peer: ben.Self.Member()})
				for joined := false; !joined; {
					var answer []byte
					for _, f := range step(b, m, w.Now, cause).Send {
						if group.IsInvitation(f.Payload) {
							answer = f.Payload
						}
					}
					frames, bytes = frames+1, bytes+len(answer)
					got, eff, err := j.Take(w.Now, answer, ann.Self.Member(), secrets)
					if err != nil {
						b.Fatal(err)
					}
					if joined = got != nil; !joined {
						cause = group.Received{From: ben.Self.Member(), Payload: eff.Send[0].Payload}
					}
				}
			}
			b.ReportMetric(float64(bytes), "bytes")
			b.ReportMetric(float64(frames), "frames")
			b.ReportMetric(float64(m.WholeSize(ben.Self.Member())), "bytes-whole")
		})
	}
}
