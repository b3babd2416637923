package node

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSketchPace: the sketch of a large group is written seldom where something is said each
// minute, that of a small one each time.
func TestSketchPace(t *testing.T) {
	for _, c := range []struct{ size, most, least int }{
		{2 << 20, 24 << 20, 18 << 20}, // bytes in six hours
		{20 << 10, 360 * 20 << 10, 355 * 20 << 10},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := &owner{sketchWake: time.NewTimer(sketchAfter)}
			written, size := 0, c.size
			for range 6 * 60 {
				o.waitForSketch()
				select {
				case <-o.sketchWake.C:
					o.sketchStored(size)
					written += size
					time.Sleep(time.Minute - sketchAfter)
				case <-time.After(time.Minute):
				}
			}
			if written > c.most || written < c.least {
				t.Errorf("of sketches of %d bytes %d are written", size, written)
			}
			o.waitForSketch() // nothing more is said
			began := time.Now()
			<-o.sketchWake.C
			if late := time.Since(began); late < sketchAfter || late > max(sketchAfter, time.Duration(size/sketchPace)*time.Second) {
				t.Errorf("the last is written after %v", late)
			}
		})
	}
}
