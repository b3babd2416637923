package api

import (
	"strings"
	"sync"
	"time"

	"kith/proto/kith/v1/kithv1connect"
)

// idleLook is how often it is looked whether somebody was there: as much later than
// chosen a home may be locked.
const idleLook = 10 * time.Second

// idle says when nobody has been there for too long.
type idle struct {
	now func() time.Time

	mu    sync.Mutex // guards all below
	limit time.Duration
	last  time.Time // when somebody was there

	changed chan struct{} // the limit is another
	timer   *time.Timer   // of keep alone
}

func newIdle(now func() time.Time) *idle { return &idle{now: now, changed: make(chan struct{}, 1)} }

// after sets the limit, in minutes; 0: none. Who sets it is there.
func (i *idle) after(minutes uint32) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.limit, i.last = time.Duration(minutes)*time.Minute, i.now()
	select {
	case i.changed <- struct{}{}:
	default:
	}
}

// touch notes that somebody is there.
func (i *idle) touch() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.last = i.now()
}

// over goes by the steady clock, and by that on the wall, which goes on while the
// machine sleeps.
func (i *idle) over() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.now()
	return i.limit > 0 && max(now.Sub(i.last), now.Round(0).Sub(i.last.Round(0))) >= i.limit
}

// look is when to ask again; never if there is no limit.
func (i *idle) look() <-chan time.Time {
	i.mu.Lock()
	limit := i.limit
	i.mu.Unlock()
	if limit == 0 {
		return nil
	}
	if i.timer == nil {
		i.timer = time.NewTimer(idleLook)
	} else {
		i.timer.Reset(idleLook)
	}
	return i.timer.C
}

func (i *idle) stop() {
	if i.timer != nil {
		i.timer.Stop()
	}
}

// byPerson reports whether a call shows that somebody is there. A command is typed.
// A page asks for much by itself, and marks read what comes while nobody looks; it
// tells of its person by StayOpen.
func byPerson(from side, procedure string) bool {
	name := strings.TrimPrefix(procedure, "/"+kithv1connect.KithServiceName+"/")
	if from == sideSocket {
		return name != "GetLock"
	}
	if atDoor[procedure] { // anybody on this machine may call it
		return false
	}
	return name != "Subscribe" && name != "MarkRead" && !strings.HasPrefix(name, "Get") && !strings.HasPrefix(name, "List")
}
