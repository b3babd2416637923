package group_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// BenchmarkDisappear is the end of one message where 20,000 others still have time.
func BenchmarkDisappear(b *testing.B) {
	w := sim.New(1)
	ann := w.Add("Ann")
	g := ann.Create(group.CreateParams{Title: "Notes"})
	expiry, err := group.Say(group.Expiry{Seconds: 3600})
	if err != nil {
		b.Fatal(err)
	}
	text, err := group.Text("hello")
	if err != nil {
		b.Fatal(err)
	}
	m, now := ann.Groups[g].Machine, w.Now
	step(b, m, now, group.Compose{Content: expiry})
	for range 20_000 {
		now++
		step(b, m, now, group.Compose{Content: text})
	}
	now += 3600*1000 - 20_000
	ended := 0
	for b.Loop() {
		now++
		ended += len(step(b, m, now, group.Tick{}).Deleted)
	}
	if ended == 0 {
		b.Fatal("nothing came to its end")
	}
}
