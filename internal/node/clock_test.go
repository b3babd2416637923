package node_test

import (
	"testing"
	"time"

	"kith/internal/node"
)

// A clock that was ahead and was set right is held against nobody who had a right one, also not once the
// order that it drove is past.
func TestClockOffStaysAway(t *testing.T) {
	t.Parallel()
	var clocks [2]watch
	ann := startWith(t, "Ann", node.Config{Home: t.TempDir(), Clock: clocks[0].Now})
	ben := startWith(t, "Ben", node.Config{Home: t.TempDir(), Clock: clocks[1].Now})
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	jumped := func(p *person, how string, c *watch, by time.Duration) {
		t.Helper()
		before := p.logged(how)
		c.set(by)
		p.until(how, func() bool { return p.logged(how) == before+1 })
	}
	const forward, back = "awake again, or the clock was set forward", "the clock was set back"
	jumped(ben, forward, &clocks[1], time.Hour)
	ben.say(g, "ahead")
	ann.sees(g, "ahead")
	ann.say(g, "in time")
	ben.sees(g, "ahead", "in time")
	jumped(ben, back, &clocks[1], -time.Hour)
	jumped(ben, forward, &clocks[1], 3*time.Hour)
	jumped(ann, forward, &clocks[0], 3*time.Hour)
	marked := func(p *person, want ...bool) {
		t.Helper()
		list, _, err := p.Messages(g, nil, len(want))
		must(t, err)
		for i := range want {
			if list[i].ClockOff != want[i] {
				t.Errorf("%s: message %d of a wrong clock: got %v, want %v", p.name, i, list[i].ClockOff, want[i])
			}
		}
	}
	for _, p := range []*person{ann, ben} {
		marked(p, false, false)
	}
	ann.say(g, "hours later")
	ben.sees(g, "ahead", "in time", "hours later")
	jumped(ben, back, &clocks[1], -time.Hour)
	ben.say(g, "behind")
	ann.sees(g, "ahead", "in time", "hours later", "behind")
	marked(ann, false, false, false, true)
	ann = ann.restart()
	ann.sees(g, "ahead", "in time", "hours later", "behind")
	marked(ann, false, false, false, true)
}

// Nor where it was set right while the program was off.
func TestClockSetRightWhileOff(t *testing.T) {
	t.Parallel()
	var clock watch
	clock.set(time.Hour)
	ann := start(t, "Ann", t.TempDir())
	ben := startWith(t, "Ben", node.Config{Home: t.TempDir(), Clock: clock.Now})
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	ben.say(g, "ahead")
	ann.sees(g, "ahead")
	ann.say(g, "in time")
	ben.sees(g, "ahead", "in time")
	ben.stop()
	clock.set(-time.Hour)
	ben = ben.again()
	ben.sees(g, "ahead", "in time")
	clock.set(3 * time.Hour)
	list, _, err := ben.Messages(g, nil, 2)
	must(t, err)
	for _, m := range list {
		if m.ClockOff {
			t.Errorf("%s of %s is marked", m.Content.Body, m.Author.Name)
		}
	}
}

// Whose own clock is wrong is told so by what others write, and not any more once it is set right.
func TestOwnClock(t *testing.T) {
	t.Parallel()
	var clock watch
	ann, cleo := start(t, "Ann", t.TempDir()), start(t, "Cleo", t.TempDir())
	ben := startWith(t, "Ben", node.Config{Home: t.TempDir(), Clock: clock.Now})
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	g := together(t, "Trip", ann, ben, cleo)
	var said []string
	says := func(p *person, text string) {
		t.Helper()
		p.say(g, text)
		said = append(said, text)
		for _, o := range []*person{ann, ben, cleo} {
			o.sees(g, said...)
		}
	}
	apart := func(ahead bool, by time.Duration, of int) {
		t.Helper()
		ben.until("what speaks against the clock", func() bool {
			c := ben.Status().Clock
			return c != nil && c.Ahead == ahead && len(c.Of) == of && time.Duration(c.By)*time.Millisecond/time.Minute == by/time.Minute
		})
	}
	right := func() {
		t.Helper()
		for _, p := range []*person{ann, ben, cleo} {
			p.until("nothing to speak against the clock", func() bool { return p.Status().Clock == nil })
		}
	}
	says(ann, "in time")
	right()

	clock.set(-2 * time.Hour)
	ben.until("the jump noticed", func() bool { return ben.logged("the clock was set back") == 1 })
	says(ann, "to one who is behind")
	apart(false, 2*time.Hour-time.Minute, 1)
	says(cleo, "to one who is behind, too")
	apart(false, 2*time.Hour-time.Minute, 2)
	says(ben, "from one who is behind")
	if c := ann.Status().Clock; c != nil {
		t.Errorf("Ann, whose clock is Cleo's, is told %+v", c)
	}

	clock.set(5 * time.Hour)
	ben.until("the jump noticed", func() bool { return ben.logged("awake again, or the clock was set forward") == 1 })
	right()
	says(ben, "from one who is ahead")
	says(ann, "after one who is ahead")
	apart(true, 3*time.Hour-time.Minute, 1)
	says(cleo, "after one who is ahead, too")
	apart(true, 3*time.Hour-time.Minute, 2)

	clock.set(-3 * time.Hour)
	ben.until("the jump noticed", func() bool { return ben.logged("the clock was set back") == 2 })
	right()
	says(ann, "after it is set right")
	right()
}

// One clock that is ahead takes the order of display with it for up to 30 days. That is no
// fault of those who write with a right clock meanwhile, and none of theirs is told of.
func TestClockOffIsToldOfWhose(t *testing.T) {
	t.Parallel()
	var clock watch
	ann := start(t, "Ann", t.TempDir())
	ben := startWith(t, "Ben", node.Config{Home: t.TempDir(), Clock: clock.Now})
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	clock.set(40 * 24 * time.Hour)
	ben.say(g, "ahead")
	ann.sees(g, "ahead")
	ann.say(g, "in time")
	ann.sees(g, "ahead", "in time")
	clock.set(-40 * 24 * time.Hour)
	ben.sees(g, "ahead", "in time")
	ben.say(g, "set right")
	ann.sees(g, "ahead", "in time", "set right")
	for _, p := range []*person{ann, ben} {
		list, _, err := p.Messages(g, nil, 3)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []bool{true, false, false} {
			if list[i].ClockOff != want {
				t.Errorf("%s: message %d of a wrong clock: got %v, want %v", p.name, i, list[i].ClockOff, want)
			}
		}
	}
}
